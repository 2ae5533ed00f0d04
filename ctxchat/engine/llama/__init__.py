"""A model in this process, over llama.cpp: tokens, cells, decoding."""
