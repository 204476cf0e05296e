"""The Graph API over HTTP.

The token travels in a header, so that it is in no address, and no address of Facebook's (``paging.next`` carries
the token in clear) is ever followed.
"""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.web import Answer, Fetcher, retry_after

from ingest_facebook.adapters.pace import Pace
from ingest_facebook.domain.answers import BrokenAnswer, Gone, ListedPart, continuation_of, scrubbed
from ingest_facebook.domain.configuration import GraphSourceConfig
from ingest_facebook.domain.graph_errors import GraphError, Meaning, read_error
from ingest_facebook.domain.graph_objects import EVENT_FIELDS, POST_FIELDS
from ingest_facebook.domain.usage import PAUSE_SECONDS

LARGEST_ANSWER = 8 * 1024 * 1024


class GraphClients:
    """Makes the clients of sources; those with the same token keep the same pace."""

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        app_secret: str | None,
        now: Callable[[], datetime],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._fetcher = fetcher
        self._app_secret = app_secret
        self._now = now
        self._environment = environment
        self._paces: dict[tuple[str, str], Pace] = {}

    def client_of(self, config: GraphSourceConfig) -> "GraphClient":
        """The client of one source."""
        pace = self._paces.setdefault((str(config.base_url), config.token_env), Pace(self._now))
        return GraphClient(self._fetcher, config, pace, self._app_secret, self._environment)


class GraphClient:
    """Asks the Graph API for one page; a :class:`~ingest_facebook.ports.Graph`."""

    def __init__(
        self,
        fetcher: Fetcher,
        config: GraphSourceConfig,
        pace: Pace,
        app_secret: str | None,
        environment: Mapping[str, str],
    ) -> None:
        self._fetcher = fetcher
        self._config = config
        self._root = f"{str(config.base_url).rstrip('/')}/{config.version}"
        self._pace = pace
        self._app_secret = app_secret
        self._environment = environment

    @property
    def slower_by(self) -> float:
        """See :attr:`Graph.slower_by`."""
        return self._pace.factor

    def posts(self) -> AsyncIterator[ListedPart]:
        """See :meth:`Graph.posts`."""
        return self._listed("posts", {"fields": POST_FIELDS})

    def events(self) -> AsyncIterator[ListedPart]:
        """See :meth:`Graph.events`."""
        return self._listed("events", {"fields": EVENT_FIELDS, "time_filter": "upcoming"})

    async def post(self, post_id: str) -> dict:
        """See :meth:`Graph.post`."""
        return await self._one(post_id, POST_FIELDS, f"{self._config.page}/posts")

    async def event(self, event_id: str) -> dict:
        """See :meth:`Graph.event`."""
        return await self._one(event_id, EVENT_FIELDS, f"{self._config.page}/events")

    async def _listed(self, edge: str, query: dict[str, str]) -> AsyncIterator[ListedPart]:
        place: dict[str, str] | None = {}
        for _ in range(self._config.most_pages):
            asked = query | {"limit": str(self._config.limit)} | (place or {})
            body = await self._ask(f"{self._config.page}/{edge}", asked)
            objects = body.get("data")
            if not isinstance(objects, list):
                raise BrokenAnswer(
                    "Facebook's answer has no list 'data'", self._scrubbed(json.dumps(body).encode())
                )
            following = continuation_of(body)
            more = following is not None and following != place
            yield ListedPart(objects, more)
            if not more:
                return
            place = following

    async def _one(self, object_id: str, fields: str, edge: str) -> dict:
        try:
            return await self._ask(object_id, {"fields": fields})
        except Gone:
            # A token that lost its permission gets the same answer for every object; then the list fails too.
            try:
                await self._ask(edge, {"fields": "id", "limit": "1"})
            except Gone as lost:
                raise PermanentError(str(lost), reason="permission") from None
            raise

    async def _ask(self, path: str, query: dict[str, str]) -> dict:
        self._pace.check()
        token = self._token()
        if self._app_secret:
            proof = hmac.new(self._app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            query = query | {"appsecret_proof": proof}
        answer = await self._fetcher.get(
            f"{self._root}/{path}",
            params=query,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            largest=LARGEST_ANSWER,
            raise_for_status=False,
        )
        usage = self._pace.note(answer.headers)
        body = self._read(answer)
        if "error" not in body and answer.status < 400:
            return body
        error = read_error(answer.status, body.get("error"))
        raise self._explained(error, answer, usage.pause_seconds)

    def _token(self) -> str:
        token = self._environment.get(self._config.token_env, "").strip()
        if not token:
            raise PermanentError(
                f"the environment variable {self._config.token_env} is not set: it holds the access token of "
                f"page {self._config.page}",
                reason="no-token",
            )
        if not token.isascii() or not token.isprintable():
            raise PermanentError(f"{self._config.token_env} does not hold an access token", reason="no-token")
        return token

    def _read(self, answer: Answer) -> dict:
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return body
        if answer.status >= 400:
            return {}
        raise BrokenAnswer("Facebook's answer breaks off or is no JSON", self._scrubbed(answer.body))

    def _explained(self, error: GraphError, answer: Answer, pause_seconds: float) -> Exception:
        text = self._scrubbed(error.text.encode()).decode(errors="replace")
        match error.meaning:
            case Meaning.RATE_LIMIT:
                delay = pause_seconds or retry_after(answer.headers, default=PAUSE_SECONDS)
                self._pace.pause(delay)
                return ThrottledError(text, delay_seconds=delay)
            case Meaning.TRANSIENT:
                return TransientError(text, reason="graph-transient")
            case Meaning.GONE:
                return Gone(text, reason="gone")
            case Meaning.DEAD_TOKEN:
                return PermanentError(
                    f"the access token in {self._config.token_env} is dead, make a new one. {text}",
                    reason="dead-token",
                )
            case Meaning.PERMISSION:
                return PermanentError(
                    f"the token in {self._config.token_env} may not read page {self._config.page}; it needs "
                    f"pages_read_engagement. {text}",
                    reason="permission",
                )
        return PermanentError(text, reason=f"http-{answer.status}")

    def _scrubbed(self, raw: bytes) -> bytes:
        return scrubbed(raw, self._environment.get(self._config.token_env, "").strip())
