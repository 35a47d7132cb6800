"""Routes of the product information file."""
