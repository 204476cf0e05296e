"""``python -m ingest_facebook`` starts the service."""

from kommunepuls_chassis.process import run_service

from ingest_facebook.app import SERVICE, compose
from ingest_facebook.settings import Settings


def main() -> None:
    """Entry point."""
    run_service(SERVICE, Settings, compose)


if __name__ == "__main__":
    main()
