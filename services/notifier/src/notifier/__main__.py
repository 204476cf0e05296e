"""``python -m notifier``"""

from kommunepuls_chassis.process import run_service

from notifier.app import SERVICE, compose
from notifier.settings import Settings


def main() -> None:
    """Run until stopped."""
    run_service(SERVICE, Settings, compose)


if __name__ == "__main__":
    main()
