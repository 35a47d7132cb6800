"""What the scripted model says, and by which rules."""
