"""Settings of notes."""

from dataclasses import dataclass

from ctxchat.settings.key import key
from ctxchat.settings.kinds import Switch, Text, Texts


@dataclass(frozen=True, slots=True)
class NotesSettings:
    """Notes, and what is recalled."""

    recall: bool = key(
        True, Switch(), "Whether notes and old turns near a question are put before it.", flag="--no-memory"
    )
    collections: tuple[str, ...] = key(
        (),
        Texts(),
        "The collections notes are recalled from; all unless set.",
        flag="--notes",
        example=["work"],
    )
    embedder: str | None = key(
        None,
        Text(path=True),
        "A GGUF embedding model, by its path; else the table of word vectors that ctxchat brings.",
        example="~/models/all-MiniLM-L6-v2.gguf",
    )
    url: str | None = key(
        None,
        Text(),
        "A team's Chroma server, whose notes take the place of this machine's; texts and vectors of notes "
        "go there. Not taken from a project file.",
        example="http://localhost:8000",
        trusted=True,
    )
    tenant: str = key("default_tenant", Text(), "The tenant of the Chroma server that notes are kept under.")
    database: str = key(
        "default_database", Text(), "The database of the Chroma server that notes are kept in."
    )
    key_env: str | None = key(
        None,
        Text(),
        "The environment variable that holds the key of the Chroma server.",
        example="CHROMA_TOKEN",
        trusted=True,
    )
    key_command: str | None = key(
        None,
        Text(),
        "A command whose first line is that key, run without a shell, where the variable is not set.",
        example="pass show chroma",
        trusted=True,
    )
    key_header: str = key(
        "Authorization",
        Text(),
        "The header the key travels in: Authorization (as `Bearer KEY`), or another one with the key alone.",
        trusted=True,
    )
