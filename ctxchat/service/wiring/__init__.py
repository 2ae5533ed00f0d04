"""The only package that names implementations: settings in, services out.

What is named here is imported when it is asked for: to list models takes no conversation.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxchat.service.wiring.chat import (
        chat_service,
        conversation_service,
        open_services,
        pin_service,
        prompts_folder,
        summary_service,
        system_text,
    )
    from ctxchat.service.wiring.fitting import model_fit
    from ctxchat.service.wiring.memory import STORE_FILE, memory_service, note_service, recall_service
    from ctxchat.service.wiring.models import (
        bench_service,
        engine_options,
        model_library,
        model_service,
        snapshot_folder,
        template_behaviour,
    )
    from ctxchat.service.wiring.pulling import model_puller
else:
    _NAMES = {
        "chat": (
            "chat_service",
            "conversation_service",
            "open_services",
            "pin_service",
            "prompts_folder",
            "summary_service",
            "system_text",
        ),
        "fitting": ("model_fit",),
        "memory": ("STORE_FILE", "memory_service", "note_service", "recall_service"),
        "models": (
            "bench_service",
            "engine_options",
            "model_library",
            "model_service",
            "snapshot_folder",
            "template_behaviour",
        ),
        "pulling": ("model_puller",),
    }

    def __getattr__(name: str) -> object:
        module = next((module for module, names in _NAMES.items() if name in names), None)
        if module is None:
            raise AttributeError(name)
        return getattr(import_module(f"{__name__}.{module}"), name)


__all__ = [
    "STORE_FILE",
    "bench_service",
    "chat_service",
    "conversation_service",
    "engine_options",
    "memory_service",
    "model_fit",
    "model_library",
    "model_puller",
    "model_service",
    "note_service",
    "open_services",
    "pin_service",
    "prompts_folder",
    "recall_service",
    "snapshot_folder",
    "summary_service",
    "system_text",
    "template_behaviour",
]
