"""What the service does with posts, events and webhooks."""
