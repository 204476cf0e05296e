"""Asks the service in this container how it is: ``python check_health.py live|ready``.

Exit code 0 if the answer is 200, 1 otherwise, with the answer on stderr. Needs nothing but Python, so that the
image carries no tool for it.
"""

import os
import sys
import urllib.error
import urllib.request

QUESTIONS = ("live", "ready")
TIMEOUT_SECONDS = 4.0


def main() -> int:
    """Entry point."""
    if len(sys.argv) != 2 or sys.argv[1] not in QUESTIONS:
        print("usage: python check_health.py live|ready", file=sys.stderr)
        return 2
    address = f"http://127.0.0.1:{os.environ['KP_HTTP_PORT']}/health/{sys.argv[1]}"
    # A proxy of the environment is for the way out, not for this container's own port.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address, timeout=TIMEOUT_SECONDS):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read(2000).decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(f"{address}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
