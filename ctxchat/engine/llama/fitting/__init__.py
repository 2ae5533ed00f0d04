"""How a model is run in the memory there is: what it takes, where it goes, and what gives way."""
