"""What the server costs: processor time, rate and latency of what it does most, on the machine at hand."""
