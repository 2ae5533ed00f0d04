"""Text to token ids by segments, with and without llama.cpp."""
