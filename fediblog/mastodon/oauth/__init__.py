"""OAuth 2.0 as apps use it."""
