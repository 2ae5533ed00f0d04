"""Whose vocabulary counts for a server: that of a file here, the server's own, or an estimate."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError, ModelError
from ctxchat.domain.ports import Template, Vocabulary
from ctxchat.engine.server.connection import Connection
from ctxchat.engine.server.kept import KeptAnswers
from ctxchat.engine.server.options import ServerOptions
from ctxchat.engine.server.probing import Kind, Probed
from ctxchat.engine.server.vocabularies.estimated import estimated_vocabulary
from ctxchat.engine.server.vocabularies.served import (
    LlamaServerTokens,
    ServedVocabulary,
    Tokens,
    VllmTokens,
    spelled,
)
from ctxchat.engine.tokens.canned import CANNED
from ctxchat.engine.tokens.segments import SegmentVocabulary


@dataclass(frozen=True, slots=True)
class ChosenVocabulary:
    """A vocabulary, and the chat template of the file it is of, None where it is of no file."""

    vocabulary: Vocabulary
    template: Template | None = None
    close: Callable[[], None] = lambda: None


def choose_vocabulary(
    options: ServerOptions, probed: Probed, connection: Connection, kept: KeptAnswers
) -> ChosenVocabulary:
    """Raises Refusal, ModelError for a file that is not the server's, and EngineError."""
    if probed.kind is Kind.PLAIN:
        if options.vocabulary:
            raise ModelError(
                f"{connection.address.shown} takes no token ids: leave the vocabulary of [server] out"
            )
        return ChosenVocabulary(estimated_vocabulary(probed.model))
    tokens: Tokens = (
        LlamaServerTokens(connection)
        if probed.kind is Kind.LLAMA_SERVER
        else VllmTokens(connection, probed.model)
    )
    if options.vocabulary:
        found = _of_file(Path(options.vocabulary).expanduser())
        if not _agrees(found.vocabulary, options.vocabulary, tokens, kept):
            raise ModelError(
                f"{options.vocabulary} has another vocabulary than {probed.model} at "
                f"{connection.address.shown}: leave the vocabulary of [server] out, or name the model's file"
            )
        return found
    if of_its_file := _of_its_file(probed, tokens, kept):
        return of_its_file
    return ChosenVocabulary(_served(tokens, kept, connection.address.shown))


def _of_its_file(probed: Probed, tokens: Tokens, kept: KeptAnswers) -> ChosenVocabulary | None:
    """That of the file which the server has opened, where a file of this path is here too and says the
    same."""
    if not probed.file or not Path(probed.file).is_file():
        return None
    try:
        found = _of_file(Path(probed.file))
    except CtxChatError:
        return None
    return found if _agrees(found.vocabulary, probed.file, tokens, kept) else None


def _of_file(path: Path) -> ChosenVocabulary:
    from ctxchat.engine.llama.model import LlamaModel

    model = LlamaModel(path)
    for _ in model.load(Cancel(), weights=False):
        pass
    return ChosenVocabulary(model.vocabulary, model.template, model.close)


def _agrees(vocabulary: Vocabulary, path: str, tokens: Tokens, kept: KeptAnswers) -> bool:
    """Whether file and server make the same ids of strings in which tokenizers differ."""
    assert isinstance(vocabulary, SegmentVocabulary)
    status = Path(path).expanduser().stat()
    question = f"agrees {path} {status.st_size} {status.st_mtime_ns}"
    known = kept.answer(question)
    if known is None:
        known = tokens.encode(PROBE, special=False)[0] == vocabulary.encode(PROBE, special=False)
        kept.keep_answer(question, known)
    return known is True


def _served(tokens: Tokens, kept: KeptAnswers, shown: str) -> ServedVocabulary:
    """Named by what it makes of strings in which tokenizers differ."""
    known = kept.answer("vocabulary")
    if not isinstance(known, dict):
        ids, _ = spelled(tokens, PROBE, special=False)
        digest = blake2b(repr(ids).encode(), digest_size=12).hexdigest()
        known = {"fingerprint": f"served {digest}", "begin": tokens.begin()}
        kept.keep_answer("vocabulary", known)
    return ServedVocabulary(tokens, known["fingerprint"], tuple(known["begin"]), shown)


PROBE = "\n".join(text for text in CANNED if "<" not in text and "[" not in text and "\x00" not in text)
"""Strings in which tokenizers differ, without those that spell control tokens: vLLM always reads them."""
