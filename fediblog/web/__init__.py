"""Pages for people and endpoints for other servers, over the same store and the same actions."""
