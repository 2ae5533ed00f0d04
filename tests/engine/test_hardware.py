"""GPUs that the build cannot use are seen without any library of theirs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ctxchat.engine.llama import hardware


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("NVIDIA", "AMD", "DEVICES", "CARDS"):
        monkeypatch.setattr(hardware, name, tmp_path / name)
    monkeypatch.setattr(hardware, "sys", SimpleNamespace(platform="linux"))
    monkeypatch.setattr(
        hardware, "library", lambda: SimpleNamespace(llama_supports_gpu_offload=lambda: False)
    )
    return tmp_path


def test_a_machine_without_a_gpu_is_told_nothing(machine: Path) -> None:
    assert hardware.unused_gpu() is None
    assert hardware.no_gpu_support() is None


@pytest.mark.parametrize(
    ("path", "text", "maker", "flag"),
    [
        ("NVIDIA/0000:01:00.0", "", "NVIDIA", "CUDA"),
        ("DEVICES/nvidia0", "", "NVIDIA", "CUDA"),
        ("AMD", "", "AMD", "HIP"),
        ("CARDS/renderD128/device/vendor", "0x10de\n", "NVIDIA", "CUDA"),
        ("CARDS/renderD128/device/vendor", "0x8086\n", "Intel", "VULKAN"),
    ],
)
def test_a_gpu_is_named_with_the_command_that_mends_it(
    machine: Path, path: str, text: str, maker: str, flag: str
) -> None:
    (machine / path).parent.mkdir(parents=True, exist_ok=True)
    (machine / path).write_text(text)
    unused = hardware.unused_gpu()
    assert unused
    assert maker in unused.seen
    assert unused.mend.startswith(f'CMAKE_ARGS="-DGGML_{flag}=on" pip install')
    assert hardware.no_gpu_support() == f"{unused.seen}, so all layers stay on the CPU: {unused.mend}"


def test_a_card_of_another_maker_is_none(machine: Path) -> None:
    (machine / "CARDS/renderD128/device").mkdir(parents=True)
    (machine / "CARDS/renderD128/device/vendor").write_text("0x1af4\n")
    assert hardware.unused_gpu() is None


def test_apple_silicon_has_one(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "sys", SimpleNamespace(platform="darwin"))
    monkeypatch.setattr(hardware.platform, "machine", lambda: "arm64")
    unused = hardware.unused_gpu()
    assert unused
    assert "GGML_METAL" in unused.mend


def test_a_build_with_support_is_not_looked_behind(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "AMD").write_text("")
    monkeypatch.setattr(hardware, "library", lambda: SimpleNamespace(llama_supports_gpu_offload=lambda: True))
    assert hardware.unused_gpu() is None
