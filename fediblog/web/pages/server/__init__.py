"""Pages of those who look after the server: reports, waves of spam, people."""
