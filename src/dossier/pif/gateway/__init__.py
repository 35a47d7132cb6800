"""Every query on decisions and versions of the file."""
