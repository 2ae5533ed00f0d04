"""Where the pre-tokenizers of model files cut a text into words, each as one regular expression.

Every expression covers any text, because what it does not match would be lost. A tokenizer that
isolates digits before anything else sees the end of the text before each of them: white space
there is not left to the next word, which in one expression is `(?![^\\s\\p{N}])`.
"""

from dataclasses import dataclass

from ctxchat.domain.errors import UncountableVocabularyError
from ctxchat.engine.gguf.header import GgufHeader

_CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
_ANY_CASE = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
_LINES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_MARKS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"

_WORDS = rf"{_CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+"
_DIGITS_APART = rf"\p{{N}}|{_CONTRACTIONS}| ?\p{{L}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?![^\s\p{{N}}])|\s+"
_THREE_DIGITS = rf"{_ANY_CASE}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{_MARKS}|{_LINES}"
_ONE_DIGIT = rf"{_ANY_CASE}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_MARKS}|{_LINES}"
_LETTERS_WITH_MARKS = (
    rf"{_ANY_CASE}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{_LINES}"
)

_EXPRESSIONS = {
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "exaone4"), _WORDS),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"), _DIGITS_APART),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "dbrx"), _THREE_DIGITS),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan"), _ONE_DIGIT),
    "qwen35": _LETTERS_WITH_MARKS,
}

_WHOLE_WORDS_FIRST = frozenset({"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"})


@dataclass(frozen=True, slots=True)
class WordRule:
    """How a text is cut into words; with `whole_words` one that is a token is not merged."""

    expression: str
    whole_words: bool


def word_rule(header: GgufHeader) -> WordRule:
    """The rule of a model file. Raises UncountableVocabularyError where there is none of its kind."""
    model, pre = header.text("tokenizer.ggml.model"), header.text("tokenizer.ggml.pre")
    if model != "gpt2" or "tokenizer.ggml.merges" not in header.metadata:
        raise UncountableVocabularyError(
            f"{header.path}: a vocabulary of the kind {model!r} is not byte-pair"
        )
    if pre not in _EXPRESSIONS:
        raise UncountableVocabularyError(
            f"{header.path}: the pre-tokenizer {pre!r} is none that is known here"
        )
    return WordRule(_EXPRESSIONS[pre], pre in _WHOLE_WORDS_FIRST)
