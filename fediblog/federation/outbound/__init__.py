"""What goes out: deliveries to other servers, and push messages to apps."""
