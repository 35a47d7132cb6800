"""What chat takes and answers."""
