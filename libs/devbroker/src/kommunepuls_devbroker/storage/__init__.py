"""Topics and their records on disk."""
