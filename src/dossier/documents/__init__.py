"""Papers of an organisation: kept as they came, read in the background."""
