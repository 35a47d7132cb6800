"""Every query of jobs: their rows and their event log."""
