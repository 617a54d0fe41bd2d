"""fediblog: a blog and microblog server that lives in the fediverse."""

__version__ = "0.1.0"
