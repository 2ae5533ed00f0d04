"""Meters: what a prompt is made of, what it costs, and what the last one cost."""
