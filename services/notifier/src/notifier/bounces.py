"""``python -m notifier.bounces FILE…`` shows how returned mails are understood; nothing is acted on."""

import sys
from collections import Counter
from pathlib import Path

from notifier.adapters.returned_mail import read_returned_mail


def main(names: list[str]) -> int:
    """Print a row a mail and recipient, and the sums. Addresses are not shown."""
    if not names:
        print("usage: python -m notifier.bounces FILE…", file=sys.stderr)
        return 2
    sums: Counter[str] = Counter()
    for name in names:
        try:
            raw = Path(name).read_bytes()
        except OSError as error:
            print(f"{name}: cannot be read: {error.strerror}", file=sys.stderr)
            return 2
        for bounce in read_returned_mail(raw):
            original = "original named" if bounce.original_message_id else "-"
            print(f"{Path(name).name}\t{bounce.effect}\t{bounce.detail}\t{original}")
            sums[f"{bounce.effect} ({bounce.detail})"] += 1
    for outcome, count in sums.most_common():
        print(f"{count:5} {outcome}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
