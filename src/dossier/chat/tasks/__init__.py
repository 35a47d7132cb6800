"""Work of chat that opens transactions of its own: answers, summaries."""
