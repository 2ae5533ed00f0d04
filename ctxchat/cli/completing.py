"""What a shell completes that is not of the command line itself."""


def model_names(incomplete: str) -> list[str]:
    """Names of models that begin so. No file is read, and nothing is said of what is wrong."""
    from ctxchat.domain.errors import CtxChatError
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings

    try:
        names = wiring.model_service(load_settings()).names()
    except CtxChatError:
        return []
    return [name for name in names if name.lower().startswith(incomplete.lower())]
