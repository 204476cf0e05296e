"""``python -m personaliser``."""

from kommunepuls_chassis.process import run_service

from personaliser.app import compose
from personaliser.records import SERVICE
from personaliser.settings import PersonaliserSettings


def main() -> None:
    """Entry point."""
    run_service(SERVICE, PersonaliserSettings, compose)


if __name__ == "__main__":
    main()
