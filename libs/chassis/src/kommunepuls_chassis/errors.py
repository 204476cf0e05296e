"""What can go wrong, as the service decides about it. Adapters turn vendor errors into these."""


class PermanentError(Exception):
    """Trying again cannot help; somebody has to change something. The text says what."""

    def __init__(self, detail: str, *, reason: str = "permanent") -> None:
        super().__init__(detail)
        self.reason = reason


class TransientError(Exception):
    """Trying again later may help."""

    def __init__(self, detail: str, *, reason: str = "transient") -> None:
        super().__init__(detail)
        self.reason = reason


class ThrottledError(TransientError):
    """The other side asks for patience. ``delay_seconds`` says how long."""

    def __init__(self, detail: str, *, delay_seconds: float) -> None:
        super().__init__(detail, reason="throttled")
        self.delay_seconds = delay_seconds


class RejectedInput(Exception):
    """One piece of input that cannot be taken: kept as a reject with its reason, never fatal."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class OperatorError(Exception):
    """A wrong setting, file or command line: one line that says what is wrong and how to mend it."""
