"""What another process does with a store: `python record_process.py PATH DEED [ARGUMENT]`.

It says each step on stdout once it is done.
"""

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from ctxchat.domain.errors import StoreError
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import say


def append(conversations: SqliteConversations, name: str) -> None:
    """Append questions to a conversation of its own, without end."""
    id_ = conversations.create(name, "").id
    print(id_, flush=True)
    number = 0
    while True:
        say(conversations, id_, f"message {number}")
        print(number, flush=True)
        number += 1


def hold(conversations: SqliteConversations, conversation: str) -> None:
    with conversations.hold(conversation):
        print("held", flush=True)
        sys.stdin.read()
    print("released", flush=True)


def hold_in_turn(conversations: SqliteConversations, conversation: str) -> None:
    """Append ten turns, each under the lock."""
    for number in range(10):
        with conversations.hold(conversation):
            say(conversations, conversation, f"q{number}", f"a{number}")


def fill(conversations: SqliteConversations, conversation: str) -> None:
    """Append where no file may grow beyond 512 KiB, until that is told."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
    try:
        for number in range(1000):
            say(conversations, conversation, f"{number} " + "x" * 10_000)
            print(number, flush=True)
    except StoreError as error:
        print(error, flush=True)


def create(conversations: SqliteConversations, name: str) -> None:
    try:
        conversations.create(name, "")
    except StoreError as error:
        print(error, flush=True)


if __name__ == "__main__":
    path, deed, argument = sys.argv[1:]
    globals()[deed](SqliteConversations(Database(Path(path)), wait=60), argument)
