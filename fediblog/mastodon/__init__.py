"""The API that Mastodon's apps speak: every endpoint a row of a table, over the same store and actions as the pages."""
