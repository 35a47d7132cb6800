"""PDF by Typst, with metadata by pikepdf."""
