"""Every query on stored answers, rates and central knowledge bases."""
