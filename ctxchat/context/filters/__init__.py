"""What a text that is over its share loses, and how that is said in it."""
