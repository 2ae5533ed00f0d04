"""What is being asked: words, and texts that ride with them."""

from dataclasses import dataclass

from ctxchat.context.attachments import Attachment


@dataclass(frozen=True, slots=True)
class Written:
    """A question as it was written, with what rides with it."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    data: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attachments or self.data)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(attachment.label for attachment in (*self.attachments, *self.data))
