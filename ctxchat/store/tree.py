"""Walks through the tree of messages, as SQL."""

WALK = """
    WITH RECURSIVE path (id, depth) AS (
        SELECT head, 0 FROM conversation WHERE id = :conversation AND head IS NOT NULL
        UNION ALL
        SELECT message.parent, depth + 1 FROM path JOIN message USING (id)
        WHERE message.parent IS NOT NULL
    )
"""
_IDS = "SELECT id FROM path ORDER BY depth DESC"
_MESSAGES = """
    SELECT message.id, parent, role, name, at, finish, answered, origin,
        section, reasoning, text, ids, passage
    FROM path JOIN message USING (id)
    LEFT JOIN segment ON segment.message = message.id
    LEFT JOIN segment_ids ON segment_ids.segment = segment.id AND vocabulary = :vocabulary
    ORDER BY depth DESC, ordinal
"""
PATH_IDS = f"{WALK} {_IDS}"
_FROM = """
    WITH RECURSIVE path (id, depth) AS (
        SELECT :head, 0 WHERE :head IS NOT NULL
        UNION ALL
        SELECT message.parent, depth + 1 FROM path JOIN message USING (id)
        WHERE message.parent IS NOT NULL
    )
"""
WALK_FROM = f"{_FROM} {_IDS}"
PATH = f"{WALK} {_MESSAGES}"

# Turns count an imported message of the user whether or not it was answered; tokens are those of
# the vocabulary with most of them.
LISTING = """
    WITH RECURSIVE held (conversation, message, parent, turn) AS (
        SELECT conversation.id, message.id, parent, role = 'user' AND (answered OR origin IS NOT NULL)
        FROM conversation JOIN message ON message.id = head
        UNION ALL
        SELECT conversation, message.id, message.parent, role = 'user' AND (answered OR origin IS NOT NULL)
        FROM held JOIN message ON message.id = held.parent
    ),
    turns (conversation, amount) AS (SELECT conversation, sum(turn) FROM held GROUP BY conversation),
    counted (conversation, amount) AS (
        SELECT conversation, sum(length(ids)) / 4 FROM held
        JOIN segment ON segment.message = held.message
        JOIN segment_ids ON segment_ids.segment = segment.id
        GROUP BY conversation, vocabulary
    ),
    tokens (conversation, amount) AS (SELECT conversation, max(amount) FROM counted GROUP BY conversation)
    SELECT id, name, head, system, created, updated, reclaimed,
        coalesce(turns.amount, 0), coalesce(tokens.amount, 0)
    FROM conversation
    LEFT JOIN turns ON turns.conversation = conversation.id
    LEFT JOIN tokens ON tokens.conversation = conversation.id
    ORDER BY updated DESC, serial DESC
"""

_LATER = """
    WITH RECURSIVE later (message) AS (
        SELECT :message
        UNION ALL
        SELECT message.id FROM later JOIN message ON message.parent = later.message
    )
"""

# The conversations on whose path a message lies, the one used last first.
_HOLDING = """
    SELECT conversation.id FROM later JOIN conversation ON conversation.head = later.message
    ORDER BY updated DESC, serial DESC
"""
HOLDERS = f"{_LATER} {_HOLDING}"

# The conversations that can come to a message, by a change that is taken back too.
_KEEPING = "SELECT DISTINCT conversation FROM later JOIN held_head ON held_head.head = later.message"
KEEPERS = f"{_LATER} {_KEEPING}"

DELETE_UNHELD = """
    WITH RECURSIVE held (message) AS (
        SELECT head FROM held_head
        UNION
        SELECT message.parent FROM held JOIN message ON message.id = held.message
        WHERE message.parent IS NOT NULL
    )
    DELETE FROM message WHERE id NOT IN (SELECT message FROM held)
"""
