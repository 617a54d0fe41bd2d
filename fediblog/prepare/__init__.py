"""What people wrote, made ready to be stored before a transaction begins: pure, since others wait for transactions."""
