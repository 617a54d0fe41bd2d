"""What comes in: who signed it, whether it is believed, and what must be known before it is applied."""
