"""What is for who owns an account alone: its numbers, taking it along, leaving."""
