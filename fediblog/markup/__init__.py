"""Text that people wrote, made safe and beautiful: Markdown to HTML, the sanitiser, plain text."""
