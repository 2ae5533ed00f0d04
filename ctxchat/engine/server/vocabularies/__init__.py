"""Text to token ids where a server has the vocabulary."""
