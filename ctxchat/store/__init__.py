"""What is remembered, in SQLite."""
