"""ctxchat: a chat assistant for local GGUF models that spends context with care."""

__version__ = "0.1.0"
