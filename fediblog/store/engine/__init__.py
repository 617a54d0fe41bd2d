"""The engines that run transactions: SQLite and PostgreSQL, the schema, copies of the data."""
