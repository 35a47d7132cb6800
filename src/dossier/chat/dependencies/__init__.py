"""Wiring of chat."""
