"""What a double of llama-server says of itself."""

from math import prod
from typing import TYPE_CHECKING

from tests.support.servers.backing import now

if TYPE_CHECKING:
    from tests.support.servers.llama_double import LlamaDouble

BUILD = "b1-0000000"


def model_of(double: "LlamaDouble") -> dict[str, object]:
    header = double.backing.header
    return {
        "id": str(double.backing.path),
        "aliases": [str(double.backing.path)],
        "tags": [],
        "object": "model",
        "created": now(),
        "owned_by": "llamacpp",
        "meta": {
            "vocab_type": 2,
            "n_vocab": double.backing.vocabulary.size,
            "n_ctx": double.backing.window,
            "n_ctx_train": double.backing.facts.window,
            "n_embd": header.metadata[f"{header.architecture}.embedding_length"],
            "n_params": sum(prod(tensor.dims) for tensor in header.tensors),
            "size": double.backing.facts.weights,
            "ftype": "all F32",
        },
    }


def models(double: "LlamaDouble") -> dict[str, object]:
    name = str(double.backing.path)
    described = dict.fromkeys(("modified_at", "size", "digest", "description", "parameters"), "")
    details = {"parent_model": "", "format": "gguf", "family": "", "families": [""]}
    details |= {"parameter_size": "", "quantization_level": ""}
    old = {"name": name, "model": name, **described, "type": "model", "tags": [""]}
    old |= {"capabilities": ["completion"], "details": details}
    return {"models": [old], "object": "list", "data": [double.model]}


def props(double: "LlamaDouble") -> dict[str, object]:
    header, path = double.backing.header, double.backing.path
    tokens = header.metadata["tokenizer.ggml.tokens"]
    bos, eos = (header.metadata.get(f"tokenizer.ggml.{which}_token_id") for which in ("bos", "eos"))
    return {
        "default_generation_settings": {"params": SETTINGS, "n_ctx": double.backing.window},
        "total_slots": 1,
        "model_alias": str(path),
        "model_ftype": "all F32",
        "model_path": str(path),
        "modalities": {"vision": False, "video": False, "audio": False},
        "media_marker": "<__media__>",
        "endpoint_slots": True,
        "endpoint_props": False,
        "endpoint_metrics": False,
        "ui": False,
        "ui_settings": {},
        "chat_template": header.text("tokenizer.chat_template") or "",
        "chat_template_caps": {"supports_system_role": True},
        "bos_token": tokens[bos] if isinstance(bos, int) else "",  # type: ignore[index]
        "eos_token": tokens[eos] if isinstance(eos, int) else "",  # type: ignore[index]
        "build_info": double.build,
        "is_sleeping": False,
        "cors_proxy_enabled": False,
    }


SETTINGS: dict[str, object] = {
    "seed": 4294967295, "temperature": 0.8, "dynatemp_range": 0.0, "dynatemp_exponent": 1.0, "top_k": 40,
    "top_p": 0.95, "min_p": 0.05, "top_n_sigma": -1.0, "xtc_probability": 0.0, "xtc_threshold": 0.1,
    "typical_p": 1.0, "repeat_last_n": 64, "repeat_penalty": 1.0, "presence_penalty": 0.0,
    "frequency_penalty": 0.0, "dry_multiplier": 0.0, "dry_base": 1.75, "dry_allowed_length": 2,
    "dry_penalty_last_n": 64, "mirostat": 0, "mirostat_tau": 5.0, "mirostat_eta": 0.1,
    "adaptive_target": -1.0, "adaptive_decay": 0.9, "max_tokens": -1, "n_predict": -1, "n_keep": 0,
    "n_discard": 0, "ignore_eos": False, "stream": False, "n_probs": 0, "min_keep": 0,
    "chat_format": "Content-only", "reasoning_format": "deepseek", "reasoning_in_content": False,
    "generation_prompt": "", "samplers": ["top_k", "typ_p", "top_p", "min_p", "temperature"],
    "speculative.types": "none", "timings_per_token": False, "post_sampling_probs": False,
    "backend_sampling": False, "lora": [],
}  # fmt: skip
"""How llama-server generates where nothing is asked for."""

ASKED: dict[str, object] = {
    "dry_sequence_breakers": ["\n", ":", '"', "*"], "stop": [], "logit_bias": [], "grammar": "",
    "grammar_lazy": False, "grammar_triggers": [], "preserved_tokens": [],
}  # fmt: skip
"""What it tells besides of a generation that is over."""


def slots(double: "LlamaDouble") -> list[dict[str, object]]:
    answers = double.answers
    told: dict[str, object] = {
        "id": 0,
        "n_ctx": double.backing.window,
        "speculative": False,
        "is_processing": double.running > 0,
    }
    if answers:
        last = answers[-1]
        told |= {
            "id_task": len(answers) - 1,
            "n_prompt_tokens": len(last.prompt) + len(last.ids),
            "n_prompt_tokens_processed": len(last.prompt) - last.cached,
            "n_prompt_tokens_cache": last.cached,
            "params": SETTINGS,
            "next_token": [
                {
                    "has_next_token": not last.ended,
                    "has_new_line": False,
                    "n_remain": -1,
                    "n_decoded": len(last.ids),
                }
            ],
        }
    return [told]
