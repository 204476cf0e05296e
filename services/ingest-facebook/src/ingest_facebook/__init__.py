"""Facebook pages become content items."""
