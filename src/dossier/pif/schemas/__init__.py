"""Requests, responses and the snapshot of the product information file."""
