"""What a model takes of memory, by its header alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.kv_size import bytes_by_layer

_BLOCK = re.compile(r"^blk\.(\d+)\.")
_EMBEDDING, _HEAD = "token_embd.weight", "output.weight"
_OF_THE_HEAD = ("output.", "output_norm.", "output_norm_enc.", "cls.", "cls_out.", "cls_norm.")


@dataclass(frozen=True, slots=True)
class Demand:
    """Bytes of weights: of what embeds the input, which stays on the host, of each layer, and of the output
    head, which is offloaded as one layer more. Where the head is the embedding again, `tied` are the bytes
    of its copy on a device. `cell` gives the bytes of one cell by layer, from the types of keys and values
    and whether flash attention is on; it raises UsageError for a type that cannot be."""

    input: int
    layers: tuple[int, ...]
    head: int
    tied: int
    cell: Callable[[str, str, bool], tuple[int, ...]]

    @property
    def units(self) -> int:
        """What can be offloaded: the layers, and the head."""
        return len(self.layers) + 1

    @property
    def weights(self) -> int:
        return self.input + sum(self.layers) + self.head

    def offloaded(self, unit: int) -> int:
        """Bytes of a layer's weights on a device, or of the head's, which comes behind the last layer."""
        return self.layers[unit] if unit < len(self.layers) else self.head + self.tied


def demand_of(header: GgufHeader) -> Demand:
    """What a model file takes."""
    layers, head, rest, embedding, tied = [0] * header.layers, 0, 0, 0, True
    for tensor in header.tensors:
        block = _BLOCK.match(tensor.name)
        if block and int(block[1]) < header.layers:
            layers[int(block[1])] += tensor.bytes
        elif tensor.name.startswith(_OF_THE_HEAD):
            head += tensor.bytes
        else:
            rest += tensor.bytes
        if tensor.name == _EMBEDDING:
            embedding = tensor.bytes
        tied = tied and tensor.name != _HEAD

    @cache
    def cell(type_k: str, type_v: str, flash: bool) -> tuple[int, ...]:
        return bytes_by_layer(header, type_k, type_v, flash_attention=flash)

    return Demand(rest, tuple(layers), head, embedding if tied else 0, cell)
