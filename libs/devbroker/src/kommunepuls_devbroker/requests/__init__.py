"""What the broker does for each request of the protocol."""
