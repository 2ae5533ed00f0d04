"""The kind of a chat template, by the words it puts around messages."""

from ctxchat.engine.gguf.header import GgufHeader

_KINDS = (
    ("<|im_start|>", "ChatML"),
    ("<|start_header_id|>", "Llama 3"),
    ("<|header_start|>", "Llama 4"),
    ("<start_of_turn>", "Gemma"),
    ("<|turn>", "Gemma 4"),
    ("<|channel|>", "Harmony"),
    ("<|start_of_role|>", "Granite"),
    ("<|START_OF_TURN_TOKEN|>", "Command R"),
    ("<｜Assistant｜>", "DeepSeek"),
    ("[gMASK]", "GLM"),
    ("[INST]", "Mistral"),
    ("<|end|>", "Phi"),
    ("### Instruction", "Alpaca"),
)
OTHER = "its own"


def template_kind(header: GgufHeader) -> str | None:
    """None where the file brings no template."""
    source = header.text("tokenizer.chat_template")
    if source is None:
        return None
    return next((kind for mark, kind in _KINDS if mark in source), OTHER)
