"""A server that orders passages by how well they answer a question."""
