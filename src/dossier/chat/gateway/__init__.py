"""Every query of chat; who sees a room is asked in `memberships` alone."""
