"""``python -m sensor_gateway``."""

from kommunepuls_chassis.process import run_service

from sensor_gateway.app import compose
from sensor_gateway.packet_log import SERVICE
from sensor_gateway.settings import Settings


def main() -> None:
    """Entry point."""
    run_service(SERVICE, Settings, compose)


if __name__ == "__main__":
    main()
