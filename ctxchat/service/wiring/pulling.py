"""What fetches models."""

import os
from typing import TYPE_CHECKING

from ctxchat import locations

if TYPE_CHECKING:
    from ctxchat.engine.hub.puller import HubPuller

_TRUE = {"1", "on", "yes", "true"}


def model_puller(*, offline: bool) -> "HubPuller":
    """Fetches models into the program's own folder. `HF_HUB_OFFLINE` and `HF_ENDPOINT` hold as they do for
    huggingface_hub itself."""
    from ctxchat.engine.hub.puller import HubPuller
    from ctxchat.engine.llama.machine import available_memory

    variables = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return HubPuller(
        locations.models_folder(),
        free=available_memory,
        offline=offline or any(os.environ.get(name, "").lower() in _TRUE for name in variables),
        endpoint=os.environ.get("HF_ENDPOINT", "").rstrip("/") or None,
    )
