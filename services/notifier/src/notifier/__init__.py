"""Fans matches out to e-mail and push, once to a person."""
