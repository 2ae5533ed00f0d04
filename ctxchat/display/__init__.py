"""What both front ends show, as text: amounts, receipts, progress, and what may reach a terminal."""
