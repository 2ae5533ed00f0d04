"""What a prompt costs, drawn: widgets that are given events and receipts, and know no service."""
