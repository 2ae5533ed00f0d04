"""What both front ends run: one turn, conversations, and the wiring."""
