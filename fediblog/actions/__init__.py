"""What happens when one of our own people acts: publish, react, follow, moderate. Each deed is one transaction."""
