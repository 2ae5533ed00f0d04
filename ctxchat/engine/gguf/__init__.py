"""What a model file says of itself, and where files are found."""
