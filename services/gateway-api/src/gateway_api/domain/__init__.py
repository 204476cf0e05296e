"""Decisions of the gateway: values and `now` in, values out."""
