"""Every query on products, their papers and their formula versions."""
