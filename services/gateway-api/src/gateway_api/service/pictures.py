"""Pictures in the store: wanted by items, fetched or uploaded, kept for a time, served from here."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from kommunepuls_chassis.store.conditions import below
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now

from gateway_api.domain.pictures import (
    MOST_AN_ITEM,
    WIDTHS,
    Rendered,
    ShownPicture,
    id_of,
    id_of_content,
    own_picture,
    rendered,
)
from gateway_api.service.changes import merge
from gateway_api.service.collections import Collections

WANTED, KEPT, FAILED = "wanted", "kept", "failed"
_MOST_OWNERS = 100
_AT_A_TIME = 200


class PictureStore:
    """Validates, draws anew, keeps and hands out pictures. Any number of processes share it."""

    def __init__(
        self,
        collections: Collections,
        *,
        public_url: str,
        keep_days: int,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pictures = collections.pictures
        self._files = collections.picture_files
        self._public_url = public_url
        self._keep = timedelta(days=keep_days)
        self._now = now
        # Decoding takes memory: one at a time a process.
        self._drawing = asyncio.Lock()

    async def keep(self, raw: bytes) -> ShownPicture:
        """Keep an uploaded picture; its address on an item is our own address with the path ``large``.

        The same bytes are one picture. It is kept for KP_PICTURE_DAYS, counted anew from each revision of an
        item that shows it.

        Raises:
            UnusablePicture: if it is none, is hostile, or is too large.
        """
        drawn = await self.drawn(raw)
        picture = id_of_content(raw)
        await self.put(picture, drawn)
        return ShownPicture(picture, drawn.width, drawn.height)

    async def drawn(self, raw: bytes) -> Rendered:
        """Decode and draw anew, in a thread; raises as :func:`rendered`."""
        async with self._drawing:
            return await asyncio.to_thread(rendered, raw)

    async def put(self, picture: str, drawn: Rendered, *, only_wanted: bool = False) -> None:
        """Write a drawn picture down: its files first, so that whoever sees it listed finds them.

        With ``only_wanted`` not if nobody wants it any more.
        """
        await self._files.put_many(
            (f"{picture}-{width}", {"picture": picture, "content": content})
            for width, content in drawn.files.items()
        )

        def kept(before: dict[str, Any] | None) -> dict[str, Any] | None:
            if before is None and only_wanted:
                return None
            held = before or self._fresh("", ())
            return held | {
                "state": KEPT,
                "due_at": None,
                "width": drawn.width,
                "height": drawn.height,
                "kept_until": self._now() + self._keep,
            }

        if await merge(self._pictures, picture, kept) is None:
            await self._files.delete_where({"picture": picture})

    def _fresh(self, url: str, items: Iterable[str]) -> dict[str, Any]:
        return {
            "state": WANTED,
            "url": url,
            "items": list(items),
            "attempts": 0,
            "due_at": self._now() if url else None,
            "cause": None,
            "width": None,
            "height": None,
            "kept_until": self._now() + self._keep,
        }

    async def want(self, item: ContentItemV1) -> None:
        """An item's pictures are to be shown: fetched if they are not here, and kept on."""
        if item.published_at < self._now() - self._keep:
            return
        for picture in item.pictures[:MOST_AN_ITEM]:
            await self._want(str(picture.url), item.id)

    async def _want(self, url: str, item: str) -> None:
        own = own_picture(url, self._public_url) is not None

        def wanted(before: dict[str, Any] | None) -> dict[str, Any] | None:
            if before is None:
                return None if own else self._fresh(url, [item])
            items = list(dict.fromkeys([*before["items"], item]))[-_MOST_OWNERS:]
            return before | {"items": items, "kept_until": self._now() + self._keep}

        await merge(self._pictures, id_of(url, self._public_url), wanted)

    async def let_go(self, item: ContentItemV1) -> None:
        """A withdrawn item's pictures are deleted, but those that another item shows."""
        for picture in item.pictures:
            key = id_of(str(picture.url), self._public_url)

            def without(before: dict[str, Any] | None) -> dict[str, Any] | None:
                if before is None or item.id not in before["items"]:
                    return None
                return before | {"items": [one for one in before["items"] if one != item.id]}

            left = await merge(self._pictures, key, without)
            if left is not None and not left["items"]:
                await self.forget(key)

    async def forget(self, picture: str) -> None:
        """Delete a picture with its files."""
        await self._pictures.delete(picture)
        await self._files.delete_where({"picture": picture})

    async def clean(self) -> None:
        """Delete what has been kept long enough."""
        while True:
            over = await self._pictures.find({"kept_until": below(self._now())}, limit=_AT_A_TIME)
            for stored in over:
                await self.forget(stored.key)
            if len(over) < _AT_A_TIME:
                return

    async def shown(self, items: Iterable[ContentItemV1]) -> dict[str, tuple[ShownPicture, ...]]:
        """The pictures that are here, by item, in the item's order; a failing one is simply not among them."""
        texts = {
            item.id: {
                id_of(str(one.url), self._public_url): one.alternative_text
                for one in item.pictures[:MOST_AN_ITEM]
            }
            for item in items
            if not item.withdrawn
        }
        found = await self._pictures.get_many({key for one in texts.values() for key in one})
        return {
            item: tuple(
                ShownPicture(key, found[key].document["width"], found[key].document["height"], text)
                for key, text in wanted.items()
                if key in found and found[key].document["state"] == KEPT
            )
            for item, wanted in texts.items()
        }

    async def file(self, picture: str, width: int) -> bytes | None:
        """The WebP of a picture in one of WIDTHS; None if it is not kept."""
        stored = await self._files.get(f"{picture}-{width}") if width in WIDTHS else None
        return stored.document["content"] if stored else None
