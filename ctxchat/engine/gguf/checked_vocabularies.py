"""Vocabularies that were found sound before, so that one question need not read every token."""

from contextlib import suppress

from ctxchat.domain.errors import StoreError
from ctxchat.engine.gguf.checks import check_vocabulary
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.locations import cache_folder, private_folder


def check_once(header: GgufHeader) -> None:
    """Check a vocabulary unless one of the same bytes has passed. Raises ModelError.

    That it passed is an empty file in the cache folder, named by the vocabulary's fingerprint.
    """
    mark = cache_folder() / "vocabularies" / header.vocabulary_fingerprint()
    if mark.exists():
        return
    check_vocabulary(header)
    with suppress(OSError, StoreError):
        private_folder(mark.parent)
        mark.touch(mode=0o600)
