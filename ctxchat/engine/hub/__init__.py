"""Fetching model files: the only place that imports huggingface_hub and makes a connection."""
