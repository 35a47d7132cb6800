"""Every query of runs: their rows, their event log, and what processes tell."""
