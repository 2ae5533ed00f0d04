"""The themes. The meters have colours of their own, the same in all of them."""

from textual.theme import Theme

DARK = Theme(
    name="ctxchat-dark",
    primary="#0178d4",
    secondary="#5fb3b3",
    accent="#ffa62b",
    warning="#e5c454",
    error="#e0566f",
    success="#4ebf71",
    foreground="#e0e0e0",
    background="#121212",
    surface="#1c1c1c",
    panel="#263238",
    variables={
        "footer-background": "#20292e",
        "footer-key-foreground": "#ffa62b",
        "footer-description-foreground": "#c8cdd0",
        "block-cursor-background": "#ffa62b",
        "block-cursor-foreground": "#121212",
        "scrollbar": "#303030",
        "scrollbar-hover": "#454545",
        "scrollbar-background": "#121212",
        "scrollbar-corner-color": "#121212",
    },
)
LIGHT = Theme(
    name="ctxchat-light",
    primary="#1263b0",
    secondary="#17777a",
    accent="#b86a00",
    warning="#8a6d00",
    error="#b3213f",
    success="#1f7f43",
    foreground="#20262b",
    background="#fafaf8",
    surface="#efefec",
    panel="#e2e6e8",
    dark=False,
    variables={"footer-key-foreground": "#b86a00"},
)
THEMES = (DARK, LIGHT)
