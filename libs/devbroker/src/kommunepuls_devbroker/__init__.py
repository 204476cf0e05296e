"""An embedded Kafka-protocol broker for laptops, demos and tests; never production."""
