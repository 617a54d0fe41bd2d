"""What waits: jobs, what came in, deliveries, and the claims of the workers that take them."""
