"""Running jobs: one attempt, what its task is given, and upkeep by the clock."""
