"""``python -m notifier``"""

import gc

from kommunepuls_chassis.process import run_service

from notifier.app import SERVICE, compose
from notifier.settings import Settings

OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Of the youngest generation, instead of 700: a chunk of matches alone makes thousands that live until it is reserved, and
the collector would look at them again and again: half the time of decoding them."""


def main() -> None:
    """Run until stopped."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    run_service(SERVICE, Settings, compose)


if __name__ == "__main__":
    main()
