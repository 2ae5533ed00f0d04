"""What nvidia-smi says of the devices."""

import subprocess


def queried(what: str) -> list[str]:
    """A line for each device; none where there is no such program."""
    try:
        ended = subprocess.run(
            ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return ended.stdout.split("\n")[:-1]


def used_memory() -> list[int]:
    """Bytes in use on each device, by all processes."""
    return [int(line) * 2**20 for line in queried("memory.used") if line.strip().isdecimal()]
