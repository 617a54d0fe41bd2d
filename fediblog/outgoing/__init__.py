"""The one way out: each activity of ours is built, addressed and stored for delivery here, whoever decides it."""
