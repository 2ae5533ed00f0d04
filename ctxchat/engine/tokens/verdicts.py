"""Whether tiktoken gives llama.cpp's ids for a vocabulary: seen once, and kept in the cache folder."""

import json
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from ctxchat import __version__
from ctxchat.domain.errors import StoreError, UncountableVocabularyError
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.libraries import llama_libraries
from ctxchat.engine.tokens.canned import CANNED
from ctxchat.engine.tokens.segments import NORMAL, SegmentVocabulary
from ctxchat.engine.tokens.vocabulary import TiktokenVocabulary, TokenKinds
from ctxchat.locations import cache_folder, private_folder


@dataclass(frozen=True, slots=True)
class Verdict:
    """What llama.cpp said when it had such a file open: all that counting without it needs.

    `kinds` is None where only llama.cpp can tokenize it; `trims` says that its cache can be cut
    back, `offloads` that this build of llama.cpp can use a GPU.
    """

    kinds: TokenKinds | None
    trims: bool
    offloads: bool


def remembered(header: GgufHeader) -> Verdict | None:
    """The verdict on a file's vocabulary under what is installed now, None before there is one."""
    try:
        kept = json.loads(_place(header).read_bytes())
        kinds = None
        if kept["exact"]:
            attributes = {int(token): int(kind) for token, kind in kept["attributes"].items()}
            kinds = TokenKinds(attributes, frozenset(kept["endings"]), tuple(kept["begin"]))
        return Verdict(kinds, kept["trims"] is True, kept["offloads"] is True)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def examine(header: GgufHeader, reference: SegmentVocabulary, *, trims: bool, offloads: bool) -> Verdict:
    """Compare with llama.cpp's own vocabulary, and remember what was found."""
    kinds = _kinds(reference)
    try:
        vocabulary = TiktokenVocabulary(header, kinds, lambda: reference)
        exact = _agree(vocabulary, reference)
    except UncountableVocabularyError:
        exact = False
    verdict = Verdict(kinds if exact else None, trims, offloads)
    with suppress(OSError, StoreError):
        _keep(_place(header), verdict)
    return verdict


def _agree(vocabulary: SegmentVocabulary, reference: SegmentVocabulary) -> bool:
    """On every token of the vocabulary by its text, and on strings in which tokenizers differ."""
    every = "\n".join(vocabulary.text((token,)) for token in range(vocabulary.size))
    for special in (False, True):
        if vocabulary.encode(every, special=special) != reference.encode(every, special=special):
            return False
        for text in CANNED:
            ids = vocabulary.tokenize(text, special=special, after=None)
            if ids != reference.tokenize(text, special=special, after=None):
                return False
            if vocabulary.text(ids) != reference.text(ids):
                return False
    return True


def _kinds(reference: SegmentVocabulary) -> TokenKinds:
    tokens = range(reference.size)
    attributes = {token: reference.attributes(token) for token in tokens}
    return TokenKinds(
        {token: kind for token, kind in attributes.items() if kind != NORMAL},
        frozenset(token for token in tokens if reference.ends_turn(token)),
        reference.begin,
    )


def _keep(place: Path, verdict: Verdict) -> None:
    kept: dict[str, object] = {
        "exact": verdict.kinds is not None,
        "trims": verdict.trims,
        "offloads": verdict.offloads,
    }
    if verdict.kinds:
        kept["attributes"] = {str(token): kind for token, kind in verdict.kinds.attributes.items()}
        kept["endings"], kept["begin"] = sorted(verdict.kinds.endings), verdict.kinds.begin
    private_folder(place.parent)
    place.touch(mode=0o600)
    place.write_text(json.dumps(kept), encoding="ascii")


def _place(header: GgufHeader) -> Path:
    """Named by the vocabulary, the libraries as they are installed, and the architecture and the name
    of the model, by which llama.cpp treats some tokens otherwise."""
    seen = f"{header.architecture} {header.text('general.name')} {_installed()}"
    digest = blake2b(seen.encode("utf-8", "replace"), digest_size=8)
    return cache_folder() / "vocabularies" / f"{header.vocabulary_fingerprint()}-{digest.hexdigest()}.json"


def _installed() -> str:
    """This program, tiktoken, and the libraries of llama.cpp by their files: a build of the same
    version may be another."""
    import tiktoken

    return f"{__version__} {tiktoken.__version__} {llama_libraries()}"
