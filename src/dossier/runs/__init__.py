"""A run and its event log: resumed, cancelled, taken over."""
