"""Modal screens, each over one service."""
