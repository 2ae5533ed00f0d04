"""What the window holds, as pure functions over the ports."""
