"""What happens when one of our own people acts: publish, react, follow, moderate. Each action is one transaction."""
