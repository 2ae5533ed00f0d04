"""What `doctor` sees of servers, and what would be sent where."""

from collections.abc import Callable, Iterator

from ctxchat.domain.errors import CtxChatError
from ctxchat.service.servers import ServerLook, Servers, key_source
from ctxchat.settings.key import without_credentials
from ctxchat.settings.schema import Settings
from ctxchat.settings.server import configured, meant, reference_to

Found = tuple[str, Callable[[], str], str, bool]
"""A check: its name, what looks, the mend, and whether it matters."""

_FLAG = "start vLLM with --enable-prompt-tokens-details"


def server_checks(servers: Servers, name: str) -> Iterator[Found]:
    """Checks of the server that answers, in order."""
    seen: list[ServerLook] = []

    def answers() -> str:
        seen.append(servers.look(name, tries=True))
        facts = seen[0].facts
        return f"{facts.architecture} at {facts.path} runs {facts.name}, window {facts.window:,} tokens"

    def look() -> ServerLook:
        if not seen:
            raise CtxChatError("not looked at: the server does not answer")
        return seen[0]

    yield "server", answers, f"start it, or set the url of {reference_to(name)}", True
    yield "server key", lambda: key_source(name, servers.configured[name]), "", False
    yield "token counts", lambda: _counts(look()), "", False
    yield "prefix cache", lambda: _cache(look()), _FLAG, False


def connections(settings: Settings) -> str:
    """What would be sent where, by the settings."""
    answers, every = meant(settings), configured(settings)
    sent = [
        f"prompts to {server.url} ({reference_to(name)}{'' if name == answers else ', where -m names it'})"
        for name, server in every.items()
    ]
    if settings.notes.url:
        sent.append(f"notes to {without_credentials(settings.notes.url)}")
    return "; ".join([*sent, "`models pull` asks the hub it names", "nothing else is sent anywhere"])


def _counts(look: ServerLook) -> str:
    if look.exact:
        return "exact: it takes token ids, and the chat template is known here"
    return "estimated, and marked ~: it takes messages alone, and its tokenizer and template are not known"


def _cache(look: ServerLook) -> str:
    if look.reports is None:
        return "as its answers tell: whatever they say was cached is shown as reused"
    if not look.reports:
        raise CtxChatError("its answers do not tell what of a prompt was cached")
    return "its answers tell what of a prompt was cached"
