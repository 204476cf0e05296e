"""Kafka in, HTTP out."""
