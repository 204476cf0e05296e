"""Routes: the JSON API, the pages, open data."""
