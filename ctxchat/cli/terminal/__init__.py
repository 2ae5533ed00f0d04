"""What a terminal gets of a turn: rendered Markdown, and a status line."""
