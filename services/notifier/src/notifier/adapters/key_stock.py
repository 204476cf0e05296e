"""Message keys made ahead of sending, each for one subscription and one message (ADR 0008 says what that costs).

They are in this process's memory alone: a process that dies takes them with it, so none can be used again. A key leaves
the stock before anything is encrypted with it, and is thrown away when it is too old.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import blake2b

from kommunepuls_chassis.errors import PermanentError

from notifier.adapters.push_encryption import MessageKey, new_message_key


class KeyStock:
    """At most one key for each subscription, made when there is time."""

    def __init__(
        self, most: int = 0, *, oldest_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            most: keys that are kept; with 0 each is made when it is needed.
            oldest_seconds: how long one may wait for its message.
        """
        self._most = most
        self._oldest_seconds = oldest_seconds
        self._clock = clock
        # In the order they were made, by a hash: what is kept here names no subscription.
        self._made: OrderedDict[bytes, tuple[float, MessageKey]] = OrderedDict()
        self._wanted: deque[tuple[bytes, bytes]] = deque()
        self.used_from_stock = self.used_fresh = 0

    def __len__(self) -> int:
        return len(self._made)

    @property
    def wanting(self) -> int:
        """How many keys are still to be made."""
        return len(self._wanted)

    @property
    def full(self) -> bool:
        """Whether more would be kept in vain."""
        return len(self._made) + len(self._wanted) >= self._most

    def take(self, p256dh: bytes, auth: bytes) -> MessageKey:
        """A key that nothing was and nothing else will be encrypted with.

        Raises:
            PermanentError: reason `bad-contact` if p256dh is not a point on P-256.
        """
        if self._most:
            made = self._made.pop(_name(p256dh, auth), None)
            if made is None:
                self.offer(p256dh, auth)
            else:
                # There is room for the one that takes its place.
                self._wanted.append((p256dh, auth))
                if made[0] + self._oldest_seconds > self._clock():
                    self.used_from_stock += 1
                    return made[1]
        self.used_fresh += 1
        return new_message_key(p256dh, auth)

    def offer(self, p256dh: bytes, auth: bytes) -> None:
        """Have a key made for that subscription, unless there is one that will do for a while."""
        if self.full:
            return
        made = self._made.get(_name(p256dh, auth))
        if made is None or made[0] + self._oldest_seconds / 2 < self._clock():
            self._wanted.append((p256dh, auth))

    def work(self, seconds: float) -> None:
        """Throw away what is too old and make what is wanted, for about so long."""
        until, now = time.monotonic() + seconds, self._clock()
        while self._made and next(iter(self._made.values()))[0] + self._oldest_seconds <= now:
            self._made.popitem(last=False)
        while self._wanted and time.monotonic() < until:
            p256dh, auth = self._wanted.popleft()
            try:
                key = new_message_key(p256dh, auth)
            except PermanentError:
                continue  # told when something is to be sent to it
            name = _name(p256dh, auth)
            self._made.pop(name, None)
            self._made[name] = (now, key)


def _name(p256dh: bytes, auth: bytes) -> bytes:
    return blake2b(p256dh + auth, digest_size=16).digest()
