"""What an answer must look like, as rules that llama.cpp takes: read, checked and followed."""
