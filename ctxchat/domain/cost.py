"""What a prompt costs in attention."""


def attention_pairs(reused: int, total: int, layers: int) -> int:
    """Positions attended to by the evaluated tokens of a prompt, over all layers.

    The token at position p (from 1) attends to p positions; `reused` tokens are not evaluated.
    """
    return (total - reused) * (reused + 1 + total) // 2 * layers
