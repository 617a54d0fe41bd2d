"""What the project talks about, as values, and the rules that decide; knows nothing of JSON, SQL or HTTP."""
