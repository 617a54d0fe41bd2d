"""What other servers read, and where they deliver."""
