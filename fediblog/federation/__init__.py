"""Where network and store meet: the site, resolving, receiving, delivering, the worker."""
