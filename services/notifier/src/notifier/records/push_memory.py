"""Push endpoints that this process has opened before, so that an alert need not read and decrypt them again.

Nothing is taken from here but what the vault says is in use under the very same stamp: an endpoint that was retired,
erased or registered anew meanwhile is not found.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar


class _Owned(Protocol):
    id: str
    subscriber: str


Endpoint = TypeVar("Endpoint", bound=_Owned)


class PushMemory(Generic[Endpoint]):
    """Endpoints by their id, with the stamps they were read under."""

    def __init__(self, most: int) -> None:
        """`most`: endpoints that are kept; of more the first ones stay."""
        self._most = most
        self._kept: dict[str, tuple[str, Endpoint]] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        """Of each subscriber's."""

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def full(self) -> bool:
        """Whether no more are kept."""
        return len(self._kept) >= self._most

    def known(
        self, asked: Iterable[str], held: Mapping[str, tuple[str, str]]
    ) -> tuple[dict[str, list[Endpoint]], list[str]]:
        """What is here of what the vault holds; what it does not hold any more is forgotten.

        Args:
            asked: subscribers.
            held: all their endpoints in use: subscriber and stamp by id.

        Returns:
            The endpoints by subscriber, and the ids of those that have to be read.
        """
        found: dict[str, list[Endpoint]] = {}
        missing: list[str] = []
        for key, (subscriber, stamp) in held.items():
            kept = self._kept.get(key)
            if kept is None or kept[0] != stamp:
                missing.append(key)
            elif subscriber in found:
                found[subscriber].append(kept[1])
            else:
                found[subscriber] = [kept[1]]
        for subscriber in asked:
            for key in self._ids.get(subscriber, ()):
                if key not in held:
                    self._forget(subscriber, key)
        return found, missing

    def keep(self, endpoint: Endpoint, stamp: str | None) -> None:
        """Keep an endpoint in place of what its id stood for. Without a stamp it could not be told from a later one."""
        if stamp is None or (self.full and endpoint.id not in self._kept):
            return
        if (before := self._kept.get(endpoint.id)) is not None:
            self._forget(before[1].subscriber, endpoint.id)
        self._kept[endpoint.id] = (stamp, endpoint)
        self._ids[endpoint.subscriber] = (*self._ids.get(endpoint.subscriber, ()), endpoint.id)

    def forget(self, subscribers: Iterable[str]) -> None:
        """Forget all of these subscribers."""
        for subscriber in subscribers:
            for key in self._ids.get(subscriber, ()):
                self._forget(subscriber, key)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._ids.clear()

    def _forget(self, subscriber: str, key: str) -> None:
        del self._kept[key]
        if left := tuple(one for one in self._ids[subscriber] if one != key):
            self._ids[subscriber] = left
        else:
            del self._ids[subscriber]
