"""What commands and keys do, over the services and the chat screen."""
