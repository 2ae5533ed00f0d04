"""The vocabulary of the project: values, events, ports and errors; standard library only."""
