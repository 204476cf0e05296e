"""Asking upstreams."""
