-- The vectors of a collection's notes lie in one space, that of its embedder.
CREATE TABLE collection (
    name TEXT PRIMARY KEY NOT NULL,
    space TEXT NOT NULL
);

-- A text that became notes. `indexed` says that Chroma holds all of them.
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    collection TEXT NOT NULL REFERENCES collection (name) ON DELETE CASCADE,
    source TEXT NOT NULL,
    hash TEXT NOT NULL,
    added TEXT NOT NULL,
    indexed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (collection, source)
);
CREATE INDEX document_not_indexed ON document (indexed) WHERE NOT indexed;

-- What can be recalled: a note of a document; a message as it was spoken, whose id is the message's;
-- or a part of a text attached to a message. `ordinal` is its place in the document or the text.
-- `vector` is float16, `space` the embedder's it was made by, null until it is needed.
CREATE TABLE passage (
    serial INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    document INTEGER REFERENCES document (id) ON DELETE CASCADE,
    message TEXT REFERENCES message (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    source TEXT NOT NULL,
    words INTEGER NOT NULL,
    space TEXT,
    vector BLOB,
    text TEXT NOT NULL
);
CREATE INDEX passage_document ON passage (document, ordinal) WHERE document IS NOT NULL;
CREATE INDEX passage_message ON passage (message, kind, ordinal);

CREATE VIRTUAL TABLE passage_fts USING fts5 (
    text, content = 'passage', content_rowid = 'serial', tokenize = 'porter unicode61 remove_diacritics 2'
);
-- Every place of every stemmed word: term, doc, col, offset.
CREATE VIRTUAL TABLE passage_word USING fts5vocab ('passage_fts', 'instance');

CREATE TRIGGER passage_added AFTER INSERT ON passage
BEGIN
    INSERT INTO passage_fts (rowid, text) VALUES (new.serial, new.text);
END;
CREATE TRIGGER passage_forgotten AFTER DELETE ON passage
BEGIN
    INSERT INTO passage_fts (passage_fts, rowid, text) VALUES ('delete', old.serial, old.text);
END;
CREATE TRIGGER passage_changed AFTER UPDATE OF text ON passage
BEGIN
    INSERT INTO passage_fts (passage_fts, rowid, text) VALUES ('delete', old.serial, old.text);
    INSERT INTO passage_fts (rowid, text) VALUES (new.serial, new.text);
END;

INSERT INTO passage (id, kind, message, ordinal, source, words, text)
SELECT id, 'turn', id, 0, coalesce(origin, id), 1 + length(text) - length(replace(text, ' ', '')), text
FROM message JOIN message_fts ON message_fts.rowid = message.serial
WHERE trim(text) <> '';

DROP TRIGGER message_forgotten;
DROP TABLE message_fts;

-- The passage that a segment holds, where it was recalled. What is forgotten is found by it.
ALTER TABLE segment ADD COLUMN passage TEXT;
CREATE INDEX segment_passage ON segment (passage) WHERE passage IS NOT NULL;

ALTER TABLE conversation ADD COLUMN reclaimed TEXT REFERENCES message (id) ON DELETE SET NULL;
CREATE INDEX conversation_reclaimed ON conversation (reclaimed) WHERE reclaimed IS NOT NULL;
