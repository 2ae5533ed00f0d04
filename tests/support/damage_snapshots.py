"""Damages snapshots of tiny models in every way, in a process of its own, and reports what came of it.

Prints one JSON object: by the kind of damage, how many cases there were, how far the restored cells
reached, what was said, and whether the answer was ever another than without a snapshot.
"""

import json
import random
import shutil
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.engine.snapshots.names import runs
from tests.support.tiny_gguf import Shape, write_tiny_gguf
from tests.support.turns import answer, words

TOKENS = 600
KILOBYTE = 1024
CHAT = 0
ANSWERED_EVERY = 25
"""Of so many cases one is answered too: reading the prompt again takes longest."""

Damage = Iterator[Callable[[bytes], bytes]]


def truncations(size: int) -> Damage:
    for length in range(0, size, KILOBYTE):
        yield lambda content, length=length: content[:length]
    yield lambda content: content[:-1]


def flips(size: int) -> Damage:
    chance = random.Random(size)
    places = [*range(0, 700, 3), *(chance.randrange(size) for _ in range(300)), size - 1]
    for place in places:
        yield lambda content, place=place: flipped(content, place, 1 << place % 8)


def scrambled(size: int) -> Damage:
    for seed in range(20):
        chance = random.Random(seed)
        begin = chance.randrange(size)
        noise = chance.randbytes(chance.randrange(1, 5000))
        yield (
            lambda content, begin=begin, noise=noise: content[:begin] + noise + content[begin + len(noise) :]
        )
    yield lambda content: content + b"more"
    yield lambda content: bytes(len(content))


def older(size: int) -> Damage:
    yield lambda content: content[:8] + struct.pack("<I", 0) + content[12:]


def flipped(content: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= bit
    return bytes(changed)


class Bench:
    """A model with snapshots of a conversation, and the answer it gives without any."""

    def __init__(self, home: Path, name: str, seed: int = 0, **options: object) -> None:
        path = write_tiny_gguf(home / f"{name}.gguf", Shape(seed=seed))
        engine = EngineOptions(window=1024, threads=1, threads_batch=1, batch_size=128, **options)  # type: ignore[arg-type]
        self.folder = SnapshotFolder(home / name)
        self.model = LlamaModel(path, engine, self.folder)
        list(self.model.load(Cancel()))
        self.ids = words(self.model, TOKENS)
        self.following = self.ids + words(self.model, 10, first="~")
        answer(self.model, self.ids)
        self.model.cache.save("one", self.ids, Cancel())
        self.model.cache.drop(CHAT)
        self.expected = answer(self.model, self.following)
        (self.place,) = (path for path in self.folder.path.iterdir() if path.is_dir())
        self.files = [self.place / str(name) for name, _ in runs(self.place.name, self.ids, whole=False)]
        self.contents = [path.read_bytes() for path in self.files]

    def case(self, *, answered: bool) -> tuple[int, str, bool]:
        """How far the cells were restored, what was said, and whether the answer is as expected."""
        self.model.cache.drop(CHAT)
        restoration = self.model.cache.restore(self.following, 12)
        # A prompt that is read in other slices may round otherwise, so the likeliest tokens are compared.
        right = not answered or answer(self.model, self.following).text == self.expected.text
        for path, content in zip(self.files, self.contents, strict=True):
            path.write_bytes(content)
        return restoration.end, " | ".join(sorted(set(restoration.refused))), right


def main(home: Path) -> None:
    bench = Bench(home, "own")
    report = {}
    for kind in (truncations, flips, scrambled, older):
        for number, (path, content) in enumerate(zip(bench.files, bench.contents, strict=True)):
            cases = []
            for place, damage in enumerate(kind(len(content))):
                path.write_bytes(damage(content))
                cases.append(bench.case(answered=place % ANSWERED_EVERY == 0))
            report[f"{kind.__name__} {number}"] = summary(cases)
    others = {
        "model": Bench(home, "other-model", seed=1),
        "keys": Bench(home, "other-keys", type_k="q8_0"),
        "attention": Bench(home, "other-attention", flash_attn="on"),
    }
    for name, other in others.items():
        for number, (path, strange) in enumerate(zip(bench.files, other.files, strict=True)):
            shutil.copy(strange, path)
            report[f"{name} {number}"] = summary([bench.case(answered=True)])
    report["sound"] = summary([bench.case(answered=True)])
    print(json.dumps(report))


def summary(cases: list[tuple[int, str, bool]]) -> dict[str, object]:
    return {
        "cases": len(cases),
        "ends": sorted({end for end, _, _ in cases}),
        "said": sorted({said for _, said, _ in cases}),
        "right": all(right for _, _, right in cases),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
