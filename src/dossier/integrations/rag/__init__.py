"""Client of a central retrieval service, and its offline twin."""
