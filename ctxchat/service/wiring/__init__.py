"""The only package that names implementations: settings in, services out."""

from ctxchat.service.wiring.chat import (
    chat_service,
    conversation_service,
    open_services,
    pin_service,
    prompts_folder,
    summary_service,
    system_text,
)
from ctxchat.service.wiring.memory import STORE_FILE, memory_service, note_service, recall_service
from ctxchat.service.wiring.models import bench_service, engine_options, model_library, snapshot_folder

__all__ = [
    "STORE_FILE",
    "bench_service",
    "chat_service",
    "conversation_service",
    "engine_options",
    "memory_service",
    "model_library",
    "note_service",
    "open_services",
    "pin_service",
    "prompts_folder",
    "recall_service",
    "snapshot_folder",
    "summary_service",
    "system_text",
]
