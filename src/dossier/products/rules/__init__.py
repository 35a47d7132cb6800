"""Pure rules of products and formulas: plain values in, plain values out."""
