"""Why a request is refused. The HTTP adapter turns these into problem details or pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field: a JSON pointer (RFC 6901) and what is wrong with it."""

    pointer: str
    detail: str


class Refused(Exception):
    """Base: ``slug`` names the problem type, the text says what is wrong and what to do."""

    slug = "refused"

    def __init__(self, detail: str, *, slug: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if slug:
            self.slug = slug


class NotFound(Refused):
    """There is no such thing, or none that this caller may know of."""

    slug = "not-found"


class NotSignedIn(Refused):
    """A session or a bearer token is needed."""

    slug = "not-signed-in"


class NotAllowed(Refused):
    """The caller is known, or the request comes from elsewhere, and may not do this."""

    slug = "not-allowed"


class LinkRefused(Refused):
    """A mailed link that was used, is too old, or is none of ours; the slug says which."""

    slug = "link-unknown"


class Conflict(Refused):
    """Somebody else changed it meanwhile."""

    slug = "changed-meanwhile"


class Invalid(Refused):
    """What was sent is not right; each fault names its field."""

    slug = "invalid"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:5]))
        self.faults = faults


class TooMany(Refused):
    """Asked too often; ``retry_after`` is in seconds."""

    slug = "too-many-requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
