"""Joins content and readings against subscriber profiles."""
