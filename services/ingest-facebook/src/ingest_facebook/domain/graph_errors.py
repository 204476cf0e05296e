"""What an error of the Graph API means. All say ``OAuthException``; code and subcode tell them apart.

Source: https://developers.facebook.com/docs/graph-api/guides/error-handling/ and .../overview/rate-limiting/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What is to be done about it."""

    RATE_LIMIT = "rate-limit"
    """Wait."""
    DEAD_TOKEN = "dead-token"
    """A new token is needed; asking again never helps."""
    PERMISSION = "permission"
    """The token lacks a permission, or the request is not allowed."""
    GONE = "gone"
    """The object was deleted, or is no longer to be seen."""
    TRANSIENT = "transient"
    """Ask again later."""
    UNKNOWN = "unknown"


_RATE_LIMITS = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_DEAD_TOKENS = frozenset({102, 190})
_TOKEN_SUBCODES: Mapping[int, str] = {
    458: "the app is no longer connected to the page",
    459: "the account that made it has to sign in to Facebook once",
    460: "the password of the account that made it was changed",
    463: "it has expired",
    464: "the account that made it is not confirmed",
    467: "it is invalid",
}


@dataclass(frozen=True, slots=True)
class GraphError:
    """An error answer, understood."""

    meaning: Meaning
    code: int
    subcode: int | None
    text: str
    """One sentence with Facebook's own words, for an operator."""


def read_error(status: int, error: object) -> GraphError:
    """Tell what an error answer means.

    Args:
        status: of the HTTP answer; it says little, rate limits come as 400.
        error: the value of ``error`` in the body, whatever it is.
    """
    fields = error if isinstance(error, Mapping) else {}
    code, subcode = _number(fields.get("code")), _number(fields.get("error_subcode"))
    said = " ".join(str(fields.get("message") or "no message").split())[:300]
    meaning = _meaning(status, code, subcode, fields)
    number = f"code {code}" + (f", subcode {subcode}" if subcode else "")
    why = (
        f": {_TOKEN_SUBCODES[subcode]}"
        if meaning is Meaning.DEAD_TOKEN and subcode in _TOKEN_SUBCODES
        else ""
    )
    return GraphError(meaning, code or 0, subcode, f"Facebook answers {status} ({number}{why}): {said}")


def _meaning(status: int, code: int | None, subcode: int | None, fields: Mapping) -> Meaning:
    if code in _RATE_LIMITS or status == 429:
        return Meaning.RATE_LIMIT
    if code in _DEAD_TOKENS or (code is not None and subcode in _TOKEN_SUBCODES):
        return Meaning.DEAD_TOKEN
    if fields.get("is_transient") is True:
        return Meaning.TRANSIENT
    if code in (1, 2) and fields.get("is_transient") is not False:
        return Meaning.TRANSIENT
    # GraphMethodException is the type of 'Unsupported get request. Object with ID … does not exist'.
    if code == 803 or (code == 100 and (subcode == 33 or fields.get("type") == "GraphMethodException")):
        return Meaning.GONE
    if code in (3, 10, 100, 104) or (code is not None and 200 <= code <= 299):
        return Meaning.PERMISSION
    return Meaning.TRANSIENT if status >= 500 else Meaning.UNKNOWN


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
