"""The flags of the engine, under llama.cpp's names and with its meanings."""

from dataclasses import dataclass
from typing import Annotated

import typer

from ctxchat.cli.setting_flags import setting, setting_option, turns_off


@dataclass(frozen=True, kw_only=True)
class EngineFlags:
    """How the model is held and run."""

    ctx_size: Annotated[int | None, setting_option("model.ctx_size", "--ctx-size", metavar="N")] = setting(
        "model.ctx_size"
    )
    n_gpu_layers: Annotated[
        str | None, setting_option("model.n_gpu_layers", "-ngl", "--n-gpu-layers", metavar="auto|all|N")
    ] = setting("model.n_gpu_layers")
    tensor_split: Annotated[
        str | None, setting_option("model.tensor_split", "-ts", "--tensor-split", metavar="N,N,…")
    ] = setting("model.tensor_split")
    split_mode: Annotated[
        str | None, setting_option("model.split_mode", "-sm", "--split-mode", metavar="none|layer|row")
    ] = setting("model.split_mode")
    main_gpu: Annotated[int | None, setting_option("model.main_gpu", "--main-gpu", metavar="N")] = setting(
        "model.main_gpu"
    )
    no_kv_offload: Annotated[
        bool, typer.Option("--no-kv-offload", help="Keep the KV cache in main memory.")
    ] = turns_off("kv.offload")
    cache_type_k: Annotated[
        str | None, setting_option("kv.type_k", "-ctk", "--cache-type-k", metavar="TYPE")
    ] = setting("kv.type_k")
    cache_type_v: Annotated[
        str | None, setting_option("kv.type_v", "-ctv", "--cache-type-v", metavar="TYPE")
    ] = setting("kv.type_v")
    flash_attn: Annotated[
        str | None, setting_option("kv.flash_attn", "-fa", "--flash-attn", metavar="auto|on|off")
    ] = setting("kv.flash_attn")
    threads: Annotated[int | None, setting_option("model.threads", "--threads", metavar="N")] = setting(
        "model.threads"
    )
    threads_batch: Annotated[
        int | None, setting_option("model.threads_batch", "--threads-batch", metavar="N")
    ] = setting("model.threads_batch")
    batch_size: Annotated[
        int | None, setting_option("model.batch_size", "-b", "--batch-size", metavar="N")
    ] = setting("model.batch_size")
    ubatch_size: Annotated[
        int | None, setting_option("model.ubatch_size", "-ub", "--ubatch-size", metavar="N")
    ] = setting("model.ubatch_size")
    speculation: Annotated[
        str | None, setting_option("model.speculation", "--speculation", metavar="auto|on|off")
    ] = setting("model.speculation")
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Make no connection, not even to a server of the settings."),
    ] = False
