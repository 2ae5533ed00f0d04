"""Everything a person can be told went wrong, and the exit code that goes with it.

CtxChatError                 what every expected failure derives from
├── EngineError          1   the model failed while answering
├── UsageError           2   the command line or its input
│   └── SettingsError    2   a settings file or an environment variable
├── ModelError           3   the model cannot be found or opened
│   └── UncountableVocabularyError   only llama.cpp can tell its tokens
├── PromptTooLargeError  4   the prompt does not fit the window
├── UnsatisfiedError     5   the answer is not what its schema or grammar asks for
└── StoreError           6   the store cannot be read or written
    ├── ConversationBusyError   another process holds the conversation
    ├── NotesBusyError          another process writes notes
    └── NotesUnreachableError   the server of the notes cannot be asked

A message is one line that names what happened and the way out.
"""


class CtxChatError(Exception):
    """An expected failure, told to the person in one line."""

    exit_code = 1


class EngineError(CtxChatError):
    """The model failed while it read or answered."""


class UsageError(CtxChatError):
    """The command line, or the input it names, cannot be used."""

    exit_code = 2


class SettingsError(UsageError):
    """A settings file or an environment variable holds something that cannot be used."""


class ModelError(CtxChatError):
    """The model file is missing, cut short, damaged, or of a kind that cannot chat."""

    exit_code = 3


class UncountableVocabularyError(ModelError):
    """The vocabulary is of a kind that only llama.cpp tokenizes exactly."""


class PromptTooLargeError(CtxChatError):
    """The prompt does not fit into what the window leaves beside the reserve."""

    exit_code = 4


class UnsatisfiedError(CtxChatError):
    """The answer does not satisfy its schema or grammar, or was cut before it did."""

    exit_code = 5


class StoreError(CtxChatError):
    """The record of conversations cannot be read or written."""

    exit_code = 6


class ConversationBusyError(StoreError):
    """Another process is answering in the same conversation."""


class NotesBusyError(StoreError):
    """Another process is writing notes."""


class NotesUnreachableError(StoreError):
    """The server that holds the notes cannot be asked, or refuses."""
