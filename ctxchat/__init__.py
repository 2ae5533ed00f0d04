"""ctxchat: a chat assistant for local GGUF models that spends context with care."""

import time

__version__ = "0.1.0"

IMPORTED_AT = time.monotonic()
