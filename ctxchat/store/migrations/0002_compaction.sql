-- A pin made between two turns rides in the next question; it is pending until that is asked.
ALTER TABLE pin ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;

-- Stands for the messages from `first` to `last`. Written once and never changed, so that states
-- and copies of a conversation share it. `facts` and `left_out` are lists of texts, as JSON.
CREATE TABLE summary_block (
    id TEXT PRIMARY KEY NOT NULL,
    first TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    last TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    turns INTEGER NOT NULL,
    prose TEXT NOT NULL,
    facts TEXT NOT NULL,
    left_out TEXT NOT NULL,
    origin TEXT NOT NULL
);
CREATE INDEX summary_block_first ON summary_block (first);
CREATE INDEX summary_block_last ON summary_block (last);

-- What each compaction of a conversation made of its blocks; the one with the greatest id counts.
CREATE TABLE compaction (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE
);
CREATE INDEX compaction_conversation ON compaction (conversation);

CREATE TABLE compaction_block (
    compaction INTEGER NOT NULL REFERENCES compaction (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    block TEXT NOT NULL REFERENCES summary_block (id) ON DELETE CASCADE,
    PRIMARY KEY (compaction, ordinal)
);
CREATE INDEX compaction_block_block ON compaction_block (block);
