"""Tables of products, their papers and their formula versions."""
