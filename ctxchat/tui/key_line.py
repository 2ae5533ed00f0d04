"""The last row of a screen: its keys."""

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey


class KeyLine(Footer):
    """A footer whose keys begin as they stay: each would be styled as compact first, and then anew.
    The key of the palette is compact always."""

    def compose(self) -> ComposeResult:
        for child in super().compose():
            if isinstance(child, FooterKey) and not child.has_class("-command-palette"):
                child.set_reactive(FooterKey.compact, self.compact)
            yield child
