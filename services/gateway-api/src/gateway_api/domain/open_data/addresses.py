"""Addresses of pages that others are led to."""

from urllib.parse import quote


def item_url(public_url: str, item: str) -> str:
    """The address of an item's page; the id is quoted as a whole, slashes too."""
    return f"{public_url}/items/{quote(item, safe='')}"


def organiser_path(organiser: str) -> str:
    """The path of an organiser's page."""
    return f"/organisers/{quote(organiser, safe='')}"
