"""Reading bytes in order; what breaks off is rejected."""

from kommunepuls_chassis.errors import RejectedInput


class Reader:
    """Takes numbers off the front of a payload."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not yet taken."""
        return len(self._payload) - self._at

    def take(self, count: int) -> bytes:
        """The next bytes.

        Raises:
            RejectedInput: ``payload-too-short``.
        """
        end = self._at + count
        part = self._payload[self._at : end]
        if len(part) < count:
            raise RejectedInput(
                "payload-too-short",
                f"byte {self._at} is followed by {self.left} bytes, {count} are expected",
            )
        self._at = end
        return part

    def unsigned(self, count: int, order: str = "big") -> int:
        """The next bytes as a number from 0."""
        return int.from_bytes(self.take(count), order)

    def signed(self, count: int, order: str = "big") -> int:
        """The next bytes as a number in two's complement."""
        return int.from_bytes(self.take(count), order, signed=True)
