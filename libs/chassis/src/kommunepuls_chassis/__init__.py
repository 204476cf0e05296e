"""What every Kommunepuls service shares: Kafka, store, settings, logs, metrics, health."""
