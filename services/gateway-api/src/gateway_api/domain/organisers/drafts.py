"""Drafts: who may do what with one, and which state follows.

```
draft --> waiting --> published --> changed --> waiting …
   \\         \\-> sent back            \\-> published
    \\-> published, where nobody is asked for approval
published, changed, or waiting and sent back with an earlier version out --> withdrawn
```
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from kommunepuls_events import ContentItemV1

from gateway_api.domain.errors import Conflict, NotAllowed
from gateway_api.domain.organisers.content import Content
from gateway_api.domain.staff import Role, Staff

MOST_STEPS = 100
LONGEST_WORD = 1_000


class State(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    WAITING = "waiting"
    SENT_BACK = "sent-back"
    PUBLISHED = "published"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did with a draft; ``word`` is what an editor wrote to it."""

    at: datetime
    who: str
    state: State
    word: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft.

    Attributes:
        id: the native id of its item, the same for good.
        edition: one more with each change of the content, so that approved is what was read.
        item: what was published last, None before the first time.
        out: the content it was made of.
        tell: whether the waiting change is news to who was told before.
    """

    id: str
    municipality: str
    organiser: str
    author: str
    content: Content
    created_at: datetime
    changed_at: datetime
    state: State = State.DRAFT
    edition: int = 1
    item: ContentItemV1 | None = None
    out: Content | None = None
    tell: bool = True
    steps: tuple[Step, ...] = field(default=())

    @property
    def live(self) -> bool:
        """Whether residents see a version of it."""
        return self.item is not None and not self.item.withdrawn

    @property
    def editable(self) -> bool:
        """Whether its content may still change."""
        return self.state is not State.WITHDRAWN

    @property
    def word(self) -> str:
        """What the editor wrote when sending it back, while that is the last that was done."""
        return self.steps[-1].word if self.steps and self.state is State.SENT_BACK else ""

    def fields(self) -> dict[str, Any]:
        """The document fields, without the outbox."""
        return {
            "municipality": self.municipality,
            "organiser": self.organiser,
            "author": self.author,
            "state": str(self.state),
            "live": self.live,
            "edition": self.edition,
            "created_at": self.created_at,
            "changed_at": self.changed_at,
            "content": self.content.model_dump_json(),
            "out": self.out.model_dump_json() if self.out else None,
            "item": self.item.to_json().decode() if self.item else None,
            "tell": self.tell,
            "steps": json.dumps([[one.at.isoformat(), one.who, one.state, one.word] for one in self.steps]),
        }

    @classmethod
    def of(cls, key: str, document: dict[str, Any]) -> "Draft":
        """The draft in a document."""
        held = {name: document[name] for name in ("municipality", "organiser", "author", "edition", "created_at",
                                                  "changed_at", "tell")}  # fmt: skip
        out, item = document["out"], document["item"]
        return cls(
            id=key,
            state=State(document["state"]),
            content=Content.model_validate_json(document["content"]),
            out=Content.model_validate_json(out) if out else None,
            item=ContentItemV1.model_validate_json(item) if item else None,
            steps=tuple(
                Step(datetime.fromisoformat(at), who, State(state), word)
                for at, who, state, word in json.loads(document["steps"])
            ),
            **held,
        )


def may_write(writer: Staff, draft: Draft) -> bool:
    """Whether they may change it."""
    return writer.may_write_for(draft.organiser)


def may_decide(writer: Staff, draft: Draft) -> bool:
    """Whether they approve or send back what waits."""
    return writer.may(Role.EDITOR) and writer.serves(draft.municipality)


def saved(draft: Draft, content: Content, writer: Staff, now: datetime) -> Draft:
    """With other content. What waited is taken back by it: approved is only what was read.

    Raises:
        NotAllowed, Conflict.
    """
    _writable(draft, writer)
    if not draft.editable:
        raise Conflict("it was withdrawn; write a new one")
    if content == draft.content:
        return draft
    state = draft.state
    if draft.live and content == draft.out:
        state = State.PUBLISHED
    elif state in (State.WAITING, State.PUBLISHED):
        state = State.CHANGED if draft.live else State.DRAFT
    changed = replace(draft, content=content, edition=draft.edition + 1, changed_at=now, state=state)
    return changed if state is draft.state else _stepped(changed, state, writer, now)


def submitted(draft: Draft, edition: int, writer: Staff, now: datetime, *, tell: bool) -> Draft:
    """Handed in for approval.

    Raises:
        NotAllowed, Conflict.
    """
    publishable(draft, edition, writer)
    if draft.state is State.WAITING:
        return draft
    return _stepped(replace(draft, tell=tell), State.WAITING, writer, now)


def publishable(draft: Draft, edition: int, writer: Staff) -> None:
    """Check that they may publish, or hand in, what they have read.

    Raises:
        NotAllowed, Conflict.
    """
    _writable(draft, writer)
    _as_read(draft, edition)
    if draft.state in (State.PUBLISHED, State.WITHDRAWN):
        raise Conflict("there is nothing to publish")


def decidable(draft: Draft, edition: int, writer: Staff) -> None:
    """Check that an editor may approve or send back what they have read.

    Raises:
        NotAllowed, Conflict.
    """
    if not may_decide(writer, draft):
        raise NotAllowed("only an editor of the municipality decides on this")
    _as_read(draft, edition)
    if draft.state is not State.WAITING:
        raise Conflict("it no longer waits for approval")


def published(draft: Draft, item: ContentItemV1, writer: Staff, now: datetime) -> Draft:
    """With a revision that residents get from now on; who may do that is checked before."""
    return _stepped(replace(draft, item=item, out=draft.content), State.PUBLISHED, writer, now)


def sent_back(draft: Draft, edition: int, writer: Staff, word: str, now: datetime) -> Draft:
    """Sent back to its writer, with a word.

    Raises:
        NotAllowed, Conflict.
    """
    decidable(draft, edition, writer)
    return _stepped(draft, State.SENT_BACK, writer, now, word[:LONGEST_WORD])


def withdrawn(draft: Draft, item: ContentItemV1, writer: Staff, now: datetime) -> Draft:
    """Taken back from residents, by the revision that says so.

    Raises:
        NotAllowed, Conflict.
    """
    _writable(draft, writer)
    if not draft.live:
        raise Conflict("it is not published")
    return _stepped(replace(draft, item=item), State.WITHDRAWN, writer, now)


def closed(draft: Draft, writer: Staff, now: datetime) -> Draft:
    """About to go without a trace: no resident has ever seen it.

    Raises:
        NotAllowed, Conflict.
    """
    _writable(draft, writer)
    if draft.item is not None:
        raise Conflict("it has been published; withdraw it instead")
    return _stepped(draft, State.WITHDRAWN, writer, now)


def _writable(draft: Draft, writer: Staff) -> None:
    if not may_write(writer, draft):
        raise NotAllowed("you do not write for this organiser")


def _as_read(draft: Draft, edition: int) -> None:
    if draft.edition != edition:
        raise Conflict("it was changed meanwhile; read it again")


def _stepped(draft: Draft, state: State, writer: Staff, now: datetime, word: str = "") -> Draft:
    step = Step(now, writer.name, state, word)
    return replace(draft, state=state, changed_at=now, steps=(*draft.steps, step)[-MOST_STEPS:])
