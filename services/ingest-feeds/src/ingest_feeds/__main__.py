"""``python -m ingest_feeds``."""

from kommunepuls_chassis.process import run_service

from ingest_feeds.app import NAME, compose
from ingest_feeds.settings import Settings


def main() -> None:
    """Entry point."""
    run_service(NAME, Settings, compose)


if __name__ == "__main__":
    main()
