"""What outside sources answered, as it came."""
