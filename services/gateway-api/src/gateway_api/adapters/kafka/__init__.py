"""Reading the topics."""
