"""Pure rules of the file: the sixteen items, the board, the matching of papers."""
