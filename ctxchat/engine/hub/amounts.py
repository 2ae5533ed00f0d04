"""Bytes as the lines of this package say them."""


def gigabytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 5e7 else f"{number / 1e6:,.1f} MB"
