-- A collection of this table mirrors one of a server. `place` names the server and its database, `name` is what
-- the collection is called there, `number` tells it from one of that name that was deleted. `stamp` and `notes` are
-- what the server said when all of it was last looked through, at `looked` (seconds); empty while that goes on.
CREATE TABLE mirror (
    collection TEXT PRIMARY KEY NOT NULL REFERENCES collection (name) ON DELETE CASCADE,
    place TEXT NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    stamp TEXT,
    notes INTEGER NOT NULL DEFAULT 0,
    looked REAL NOT NULL DEFAULT 0
);

-- The record of the server that a note mirrors, and the hash of what it held.
CREATE TABLE mirrored (
    passage TEXT PRIMARY KEY NOT NULL REFERENCES passage (id) ON DELETE CASCADE,
    record TEXT NOT NULL,
    hash TEXT NOT NULL
);
