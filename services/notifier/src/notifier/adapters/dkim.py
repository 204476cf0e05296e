"""What a DKIM signature covers (RFC 6376), relaxed/relaxed: everything but the signature itself.

What mails have in common is brought into canonical form once; a copy's own parts are put into that form as they are
put into the mail, so that a mail costs two hashes.
"""

import re
from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from notifier.adapters.dkim_keys import DkimKey
from notifier.adapters.slots import Slotted, slot

SIGNED = (
    "from", "reply-to", "to", "cc", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post",
    "mime-version", "content-type", "content-transfer-encoding", "content-language", "auto-submitted", "importance",
)  # fmt: skip
"""Header fields that are signed where a mail has them (RFC 6376 section 5.4.1, RFC 8058 section 4)."""
OVERSIGNED = (
    "from", "reply-to", "to", "cc", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post",
    "content-type",
)  # fmt: skip
"""Named once more than the mail has them, so that nobody on the way can add one (RFC 6376 section 8.15)."""
_LONGEST_LINE = 76
_SPACE = re.compile(rb"[ \t]+")
_FIELD_END = re.compile(rb"\r\n(?![ \t])")


@dataclass(slots=True)
class Seal:
    """A signature to be made.

    Attributes:
        key: which of the sealer's keys.
        digest: SHA-256 of the header fields, which is signed.
        field: DKIM-Signature as it stands in the mail, up to the value of its last tag ``b=``.
    """

    key: int
    digest: bytes
    field: bytes


class Sealed:
    """A mail, or the form of many, made ready to be signed."""

    def __init__(self, head: bytes, body: bytes, fields: Sequence[bytes]) -> None:
        """In canonical form, with slots; `fields`: a DKIM-Signature for each key, without the value of ``b=``."""
        self._body = Slotted(body)
        # RFC 6376 section 3.7: the signature's own field comes last, without the line break at its end.
        self._signatures = [(Slotted(head + relaxed_field(field)), Slotted(field)) for field in fields]

    def seals(self, values: Mapping[str, bytes]) -> tuple[Seal, ...]:
        """What is to be signed, with the slots filled; `values` holds what :func:`signed_at` gives, too."""
        body = b2a_base64(sha256(self._body.filled(values)).digest(), newline=False)
        values = {**values, "body-hash": body}
        seals = []
        for key, (head, field) in enumerate(self._signatures):
            seals.append(Seal(key, sha256(head.filled(values)).digest(), field.filled(values)))
        return tuple(seals)


class DkimSealer:
    """Prepares signatures by some keys of ours."""

    def __init__(self, keys: Sequence[DkimKey]) -> None:
        self._keys = keys

    def prepared(self, mail: bytes) -> Sealed:
        """From a mail with CRLF, which may have slots of its own."""
        head, _, body = mail.partition(b"\r\n\r\n")
        canonical = [relaxed_field(field) for field in _FIELD_END.split(head)]
        by_name = {field.partition(b":")[0].decode(): field for field in canonical}
        present = [name for name in SIGNED if name in by_name]
        signed = b"".join(by_name[name] + b"\r\n" for name in present)
        names = [*present, *OVERSIGNED]
        return Sealed(signed, relaxed_body(body), [_field(key, names) for key in self._keys])


def signed_at(now: datetime) -> dict[str, bytes]:
    """The time of a signature, as a value for its slot."""
    return {"signed-at": str(int(now.timestamp())).encode()}


def relaxed_field(field: bytes) -> bytes:
    """RFC 6376 section 3.4.2, without the line break at its end."""
    name, _, value = field.partition(b":")
    value = _SPACE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4."""
    body = _SPACE.sub(b" ", body).replace(b" \r\n", b"\r\n")
    body = body.removesuffix(b" ").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def with_signature(field: bytes, signature: bytes) -> bytes:
    """The whole field; the signature is folded into lines."""
    text = b2a_base64(signature, newline=False)
    lines = [text[start : start + _LONGEST_LINE - 1] for start in range(0, len(text), _LONGEST_LINE - 1)]
    return field + b"\r\n ".join((b"", *lines)) + b"\r\n"


def _field(key: DkimKey, names: Sequence[str]) -> bytes:
    """DKIM-Signature with slots for time and body hash (RFC 6376 section 3.5)."""
    head = f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={key.domain}; s={key.selector};\r\n t="
    return b"".join(
        (
            head.encode(), slot("signed-at"), b";\r\n h=", "\r\n  ".join(_lines(names)).encode(), b";\r\n bh=",
            slot("body-hash"), b";\r\n b=",
        )
    )  # fmt: skip


def _lines(names: Sequence[str]) -> Iterator[str]:
    line = ""
    for place, name in enumerate(names):
        part = name if place == len(names) - 1 else f"{name}:"
        if len(line) + len(part) > _LONGEST_LINE - 4:
            yield line
            line = ""
        line += part
    yield line
