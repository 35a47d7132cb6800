"""Tables of decisions and versions of the file."""
