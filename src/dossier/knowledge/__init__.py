"""Passages of the papers, and the search over them."""
