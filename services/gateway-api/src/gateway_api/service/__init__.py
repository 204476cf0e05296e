"""What the gateway does with its decisions: store, outbox, read model, queries."""
