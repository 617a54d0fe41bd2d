"""What the API answers with: each entity from values of the domain, many at a time, in a fixed number of queries."""
