"""How the next token is chosen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling options under llama.cpp's names, with llama.cpp's defaults.

    Temperature 0 takes the likeliest token always. `seed` None draws one. `max_tokens` None
    leaves the limit to the reserve of the window. An option at its neutral value costs nothing.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
