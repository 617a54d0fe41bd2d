"""The database: transactions as plain functions, on SQLite or PostgreSQL, and the questions asked of it."""
