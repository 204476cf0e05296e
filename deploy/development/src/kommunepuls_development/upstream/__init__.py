"""The demo town's upstreams: the real protocols over HTTP and MQTT, with data written by us."""
