"""Routes of products, their papers and their formulas."""
