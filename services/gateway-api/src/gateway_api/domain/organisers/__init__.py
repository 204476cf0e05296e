"""Clubs and other organisers: who they are, what they write, who approves it, what becomes of it."""
