"""What the service needs of Facebook: :class:`~ingest_facebook.adapters.graph.GraphClient` asks over HTTP, the
check command answers from saved files."""

from collections.abc import AsyncIterator
from typing import Protocol

from ingest_facebook.domain.answers import ListedPart


class Graph(Protocol):
    """One page at Facebook.

    All methods raise:
        ThrottledError: a rate limit, or the allowance is used up.
        TransientError: no answer, a fault at Facebook; ``BrokenAnswer`` for one that is no JSON.
        PermanentError: a dead or missing token, a missing permission; the text says what to do.
    """

    @property
    def slower_by(self) -> float:
        """How many times longer than usual to wait between polls."""

    def posts(self) -> AsyncIterator[ListedPart]:
        """The page's own posts, the newest first, answer by answer."""

    def events(self) -> AsyncIterator[ListedPart]:
        """The page's events that are not over, answer by answer."""

    async def post(self, post_id: str) -> dict:
        """One post.

        Raises:
            Gone: if it was deleted, or is not to be seen any more; else as the class says.
        """

    async def event(self, event_id: str) -> dict:
        """One event; raises as :meth:`post`."""
