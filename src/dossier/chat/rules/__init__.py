"""What chat decides without a database: words, lengths, paths."""
