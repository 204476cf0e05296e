"""Serves residents, operators and the web app."""
