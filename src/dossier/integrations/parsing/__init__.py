"""Reading papers: a sandbox, and the parsers that run inside it."""
