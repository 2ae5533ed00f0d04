"""A model that a server runs, over HTTP."""
