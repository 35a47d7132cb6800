"""Requests and responses of products and formulas."""
