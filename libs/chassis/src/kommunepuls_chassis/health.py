"""Liveness and readiness: a component says that it goes round, and whether it can work.

Live means that every loop went round lately; ready means that every component said it can work.
"""

import time
from dataclasses import dataclass, field


@dataclass
class Component:
    """One loop or connection of a service."""

    name: str
    stale_after: float
    ready: bool = False
    last_beat: float = field(default_factory=time.monotonic)

    def beat(self, *, ready: bool | None = None) -> None:
        """Say that the loop goes round, and, if given, whether it can work."""
        self.last_beat = time.monotonic()
        if ready is not None:
            self.ready = ready

    def down(self) -> None:
        """Say that it can no longer work."""
        self.ready = False

    def live(self) -> bool:
        """Whether it went round within ``stale_after`` seconds; 0 means that it need not."""
        return not self.stale_after or time.monotonic() - self.last_beat < self.stale_after


class Health:
    """The components of one process."""

    def __init__(self) -> None:
        self._components: dict[str, Component] = {}

    def component(self, name: str, *, stale_after: float = 60.0) -> Component:
        """Register a component; it is not ready until it says so."""
        return self._components.setdefault(name, Component(name, stale_after))

    def forget(self, name: str) -> None:
        """Unregister a component that is no longer wanted."""
        self._components.pop(name, None)

    def report(self) -> dict[str, dict[str, bool]]:
        """Each component's state."""
        return {name: {"ready": part.ready, "live": part.live()} for name, part in self._components.items()}

    @property
    def live(self) -> bool:
        """Whether the process should be kept."""
        return all(part.live() for part in self._components.values())

    @property
    def ready(self) -> bool:
        """Whether the process can take work; not before it has told of its first component."""
        return bool(self._components) and self.live and all(part.ready for part in self._components.values())
