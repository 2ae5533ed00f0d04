"""What the workers of the terminal UI ask, and how: the same in all of them."""

import smol

SAMPLING_FLAGS = (
    "-m",
    str(smol.path()),
    "--threads",
    "1",
    "--threads-batch",
    "1",
    "--ctx-size",
    "8192",
    "--max-tokens",
    "128",
    "--temperature",
    "0",
    "--no-filter",
)


def long_text() -> str:
    """Some 4,000 tokens."""
    return "\n".join(
        f"In year {n} the keeper of lamp {n % 7} wrote down {n * 37 % 101} ships." for n in range(210)
    )


def question() -> str:
    return "Write a long story about a lighthouse keeper and the sea."
