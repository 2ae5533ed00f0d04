"""What was computed once, on disk: the cells of a model, in blocks that conversations share."""
