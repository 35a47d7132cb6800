"""Composition root of the web app."""
