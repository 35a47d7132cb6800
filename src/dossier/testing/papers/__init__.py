"""Realistic papers of invented companies, made from recipes; for the demo and tests."""

from dossier.testing.papers.generator import make_papers, write_papers

__all__ = ["make_papers", "write_papers"]
