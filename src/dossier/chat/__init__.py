"""Rooms, personas, messages, and answers that cite."""
