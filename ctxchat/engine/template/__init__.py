"""The chat template of a model: run within bounds, and probed."""
