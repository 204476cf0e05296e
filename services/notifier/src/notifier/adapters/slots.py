"""Bytes with gaps that are filled in many times."""

from collections.abc import Mapping

_MARK = b"\0"
"""Stands on both sides of a slot's name. No mail has one (RFC 5322 section 4)."""


def slot(name: str) -> bytes:
    """What marks a gap."""
    return _MARK + name.encode() + _MARK


class Slotted:
    """A text with gaps by name."""

    __slots__ = ("_names", "_parts")

    def __init__(self, marked: bytes) -> None:
        """`marked`: the text with :func:`slot` where something is to be put in."""
        parts: list[bytes] = marked.split(_MARK)
        self._parts = parts
        self._names = tuple((place, parts[place].decode()) for place in range(1, len(parts), 2))

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The text with all gaps filled."""
        parts = self._parts.copy()
        for place, name in self._names:
            parts[place] = values[name]
        return b"".join(parts)
