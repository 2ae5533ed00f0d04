"""Files as texts that can become notes."""
