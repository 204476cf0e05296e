"""``python -m gateway_api``: serve until stopped."""

from kommunepuls_chassis.process import run_service

from gateway_api.app import NAME, compose
from gateway_api.settings import Settings


def main() -> None:
    """Entry point."""
    run_service(NAME, Settings, compose)


if __name__ == "__main__":
    main()
