"""What is looked up elsewhere: documents, handles, threads, totals; each within a budget."""
