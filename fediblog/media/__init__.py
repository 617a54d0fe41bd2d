"""Pictures that people upload and that we copy: decoded in a process of their own, kept in files."""
