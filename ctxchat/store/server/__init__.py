"""Notes that a team keeps in a Chroma server, and the mirror of them in SQLite."""
