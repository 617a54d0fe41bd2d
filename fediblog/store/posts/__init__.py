"""Posts and what hangs on them: threads, reactions, quotes, hashtags, files, lists of posts."""
