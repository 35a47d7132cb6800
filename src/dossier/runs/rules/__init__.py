"""Pure rules of runs: their states, their events, how clients put them together."""
