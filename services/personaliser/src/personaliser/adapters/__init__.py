"""Faust, the profile log, the reading history and the towns' areas."""
