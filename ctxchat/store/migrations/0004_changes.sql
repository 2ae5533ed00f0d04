-- Where a conversation stood before each change of its path; the one with the greatest id that is not
-- `undone` is taken back first. An undone one holds the head that was left by it, so that nothing of
-- the tree is lost while the conversation is there.
CREATE TABLE path_change (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    change TEXT NOT NULL,
    head TEXT REFERENCES message (id),
    reclaimed TEXT REFERENCES message (id) ON DELETE SET NULL,
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX path_change_conversation ON path_change (conversation);
CREATE INDEX path_change_head ON path_change (head);
CREATE INDEX path_change_reclaimed ON path_change (reclaimed) WHERE reclaimed IS NOT NULL;

-- Every message that a conversation can come to: by its head, or by taking a change back.
CREATE VIEW held_head (conversation, head) AS
    SELECT id, head FROM conversation WHERE head IS NOT NULL
    UNION ALL SELECT conversation, head FROM path_change WHERE head IS NOT NULL;

-- What a person took out of what is sent: the turn of a question, or what is attached to a message.
CREATE TABLE left_out (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    message TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    what TEXT NOT NULL,
    PRIMARY KEY (conversation, message, what)
);
CREATE INDEX left_out_message ON left_out (message);
