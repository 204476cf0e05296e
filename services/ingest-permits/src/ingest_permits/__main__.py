"""``python -m ingest_permits``: runs the service until SIGTERM."""

from kommunepuls_chassis.process import run_service

from ingest_permits.app import compose
from ingest_permits.service import SERVICE
from ingest_permits.settings import Settings


def main() -> None:
    """Run the service; ends the process."""
    run_service(SERVICE, Settings, compose)


if __name__ == "__main__":
    main()
