"""What the notifier keeps, on the chassis's document store: sendings, endpoints, profiles, texts, standings."""
