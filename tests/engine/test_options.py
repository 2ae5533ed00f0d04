"""Options as typed, and what they come to."""

import pytest

from ctxchat.domain.errors import UsageError
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions, resolve, whole_blocks
from ctxchat.engine.llama.threads import Threads, choose_threads


def resolved(
    *, can_offload: bool = False, cores: int = 4, trained: int | None = 32768, **options: object
) -> ResolvedOptions:
    return resolve(
        EngineOptions(**options),  # type: ignore[arg-type]
        can_offload=can_offload,
        cores=cores,
        trained_window=trained,
    )


def test_on_a_cpu_batches_are_short_and_flash_attention_is_off() -> None:
    assert resolved() == ResolvedOptions(
        offloaded=False,
        n_gpu_layers=0,
        flash_attn=False,
        threads=Threads(prefill=4, decode=3),
        batch_size=128,
        ubatch_size=128,
        window=8192,
    )


def test_where_layers_are_offloaded_all_are_with_long_batches_and_flash_attention() -> None:
    there = resolved(can_offload=True)
    assert (there.offloaded, there.n_gpu_layers, there.flash_attn) == (True, -1, True)
    assert (there.batch_size, there.ubatch_size) == (2048, 512)


def test_no_layer_offloaded_is_a_cpu() -> None:
    assert resolved(can_offload=True, n_gpu_layers=0) == resolved()


def test_layers_cannot_be_offloaded_where_the_library_cannot() -> None:
    assert resolved(n_gpu_layers=99).n_gpu_layers == 0


def test_quantized_values_bring_flash_attention_and_keys_do_not() -> None:
    assert resolved(type_v="q8_0").flash_attn
    assert not resolved(type_k="q8_0").flash_attn


def test_quantized_values_without_flash_attention_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="--flash-attn"):
        EngineOptions(type_v="q4_0", flash_attn="off")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("type_k", "q3_0", "cache type for keys must be one of f32, f16"),
        ("type_v", "", "cache type for values must be one of"),
        ("split_mode", "rows", "split mode must be one of none, layer, row"),
        ("flash_attn", "yes", "flash attention must be one of auto, on, off"),
        ("threads", 0, "threads must be at least 1, not 0"),
        ("window", -5, "window must be at least 1, not -5"),
        ("batch_size", 0, "batch size must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(option: str, value: object, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        EngineOptions(**{option: value})  # type: ignore[arg-type]


def test_a_piece_of_a_batch_is_no_longer_than_the_batch() -> None:
    assert resolved(batch_size=64, ubatch_size=256).ubatch_size == 64
    assert resolved(batch_size=300).ubatch_size == 300
    assert resolved(can_offload=True, batch_size=300).ubatch_size == 300
    assert resolved(can_offload=True, batch_size=4096).ubatch_size == 512


@pytest.mark.parametrize(
    ("asked", "trained", "window"),
    [(None, 2000, 2048), (None, None, 8192), (1000, 512, 1024), (256, 512, 256)],
)
def test_the_window_is_what_was_asked_else_the_trained_one(
    asked: int | None, trained: int | None, window: int
) -> None:
    assert resolved(window=asked, trained=trained).window == window


def test_cells_come_in_whole_blocks() -> None:
    assert [whole_blocks(n) for n in (1, 256, 257)] == [256, 256, 512]


def test_threads_leave_a_core_to_others_while_decoding() -> None:
    assert choose_threads(8) == Threads(prefill=8, decode=7)
    assert choose_threads(1) == Threads(prefill=1, decode=1)


def test_threads_asked_for_are_capped_at_the_cores() -> None:
    assert choose_threads(2, prefill=16, decode=2) == Threads(prefill=2, decode=2)
