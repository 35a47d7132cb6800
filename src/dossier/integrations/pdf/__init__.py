"""Typesetting by Typst and finishing by pikepdf; knows no domain."""
