"""The files of `deploy/` are true: the proxies forward what the server needs, names and versions exist."""
