"""The chat: a transcript, a composer, and the line that says what is going on."""
