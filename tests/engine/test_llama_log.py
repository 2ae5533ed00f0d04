"""What is kept of llama.cpp's log."""

from ctxchat.engine.llama.log import CONTINUED, DEBUG, ERROR, LlamaLog

INFO = 2
MIB = 1 << 20


def logged(*lines: tuple[int, str]) -> LlamaLog:
    log = LlamaLog()
    for level, line in lines:
        log.receive(level, line.encode(), None)
    return log


def test_the_first_error_is_the_reason_and_loses_its_function() -> None:
    log = logged((INFO, "llama: begun\n"), (ERROR, "gguf_init: bad magic\n"), (ERROR, "load: failed\n"))
    assert (log.first_error(), log.last_error()) == ("bad magic", "failed")


def test_no_error_is_none() -> None:
    assert logged((INFO, "all is well")).first_error() is None


def test_a_continued_line_belongs_to_the_line_before() -> None:
    assert logged((ERROR, "load: not"), (CONTINUED, " found\n")).first_error() == "notfound"


def test_debugging_is_dropped_and_bytes_that_are_not_text_are_replaced() -> None:
    log = logged((DEBUG, "noise"))
    log.receive(ERROR, b"f: \xff", None)
    assert log.last_error() == "\ufffd"


def test_sizes_of_several_buffers_are_added_up() -> None:
    log = logged(
        (
            INFO,
            "llama_kv_cache: size =   95.62 MiB (  8192 cells,  30 layers,  4/1 seqs), K (q8_0): 47.81 MiB",
        ),
        (INFO, "llama_kv_cache: size =    4.00 MiB (   256 cells,  30 layers,  4/1 seqs), K (f16): 2.00 MiB"),
        (INFO, "llama_kv_cache:        CPU KV buffer size =    99.62 MiB"),
        (INFO, "llama_memory_recurrent: size =   2.50 MiB (     4 cells,  10 layers,  4 seqs  0 rs_seq), R"),
        (INFO, "llama_context:        CPU  output buffer size =     0.50 MiB"),
        (INFO, "sched_reserve:        CPU compute buffer size =     3.50 MiB"),
    )
    assert log.kv_bytes() == (round(95.62 * MIB) + 4 * MIB, 2 * MIB // 100)
    assert log.state_bytes() == round(2.5 * MIB)
    assert log.compute_bytes() == 4 * MIB


def test_what_was_cleared_counts_no_more() -> None:
    log = logged((ERROR, "bad"))
    log.clear()
    assert (log.first_error(), log.kv_bytes(), log.compute_bytes()) == (None, (0, 0), None)
