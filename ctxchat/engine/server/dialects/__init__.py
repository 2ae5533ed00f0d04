"""How each kind of server is spoken to."""
