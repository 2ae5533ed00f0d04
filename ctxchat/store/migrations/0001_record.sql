PRAGMA application_id = 0x63747863;

-- A question or an answer; `serial` numbers its row in message_fts.
-- `origin` is the id it had in the file it was imported from.
CREATE TABLE message (
    serial INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent TEXT REFERENCES message (id),
    role TEXT NOT NULL,
    name TEXT,
    at TEXT NOT NULL,
    finish TEXT,
    answered INTEGER NOT NULL,
    origin TEXT
);
CREATE INDEX message_parent ON message (parent);

CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    message TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    section TEXT NOT NULL,
    reasoning INTEGER NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (message, ordinal)
);

-- Token ids as little-endian int32, for each vocabulary the segment was tokenized or decoded with.
CREATE TABLE segment_ids (
    segment INTEGER NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    vocabulary TEXT NOT NULL,
    ids BLOB NOT NULL,
    PRIMARY KEY (segment, vocabulary)
);

CREATE TABLE conversation (
    serial INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    head TEXT REFERENCES message (id),
    system TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE INDEX conversation_head ON conversation (head);

CREATE TABLE pin (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    message TEXT REFERENCES message (id) ON DELETE SET NULL,
    ordinal INTEGER NOT NULL,
    UNIQUE (conversation, ordinal)
);
CREATE INDEX pin_message ON pin (message);

-- What was spoken, without attachments and reasoning.
CREATE VIRTUAL TABLE message_fts USING fts5 (text, tokenize = 'porter unicode61 remove_diacritics 2');

CREATE TRIGGER message_forgotten AFTER DELETE ON message
BEGIN
    DELETE FROM message_fts WHERE rowid = old.serial;
END;
