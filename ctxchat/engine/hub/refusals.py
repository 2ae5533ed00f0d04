"""What a server refused, in one line with the way out."""

from collections.abc import Mapping

from ctxchat.domain.errors import ModelError

LOG_IN = "HF_TOKEN=… in the environment, or `hf auth login`"


def refusal(name: str, status: int, headers: Mapping[str, str], repo_url: str | None = None) -> ModelError:
    """What to say of an answer that is an error. `repo_url` is where terms are accepted."""
    if headers.get("X-Error-Code") == "GatedRepo":
        where = f" at {repo_url}" if repo_url else ""
        return ModelError(f"{name} is gated: accept its terms{where}, and give a token of yours ({LOG_IN})")
    if status in {401, 403}:
        return ModelError(
            f"{name} is not for everybody ({status}): give a token that may read it ({LOG_IN}), or none "
            "where the one there is has expired"
        )
    if status == 404:
        return ModelError(f"there is no {name} (404)")
    if status == 429:
        asked = headers.get("Retry-After")
        until = f", and asks to wait {asked} s" if asked else ""
        return ModelError(
            f"the hub takes no more requests for now (429){until}; a token of yours raises its limit"
        )
    return ModelError(f"{name} cannot be had: the server answers {status}; try again later")


def lost(name: str, error: Exception) -> ModelError:
    """What to say where the connection fails again and again."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return ModelError(
        f"{name} cannot be had: {reason}; what has come stays, and the same command goes on from there"
    )
