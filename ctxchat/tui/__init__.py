"""The terminal UI: a Textual application over the services that the command line uses."""
