"""Running a model: files, tokens, templates, cells, and the decode loop."""
