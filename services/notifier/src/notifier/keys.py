"""``python -m notifier.keys`` prints fresh keys as lines for an environment file. Run it once.

``python -m notifier.keys dkim DOMAIN [SELECTOR]`` prints keys that mails are signed with, and the records for DNS.
"""

import secrets
import sys
from datetime import UTC, datetime

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.sealing import new_key_pair

from notifier.adapters.dkim_keys import new_ed25519_key, new_rsa_key, read_keys
from notifier.adapters.vapid import new_private_key, public_key_of
from notifier.records.vault_keys import new_vault_key


def fresh_keys() -> dict[str, str]:
    """New keys by the names of their variables; those with PUBLIC in their name and KP_PEPPER belong to the gateway."""
    vapid = new_private_key()
    contact_private, contact_public = new_key_pair()
    return {
        "KP_VAPID_PRIVATE_KEY": vapid,
        "KP_VAPID_PUBLIC_KEY": public_key_of(vapid),
        "KP_VAULT_KEY": new_vault_key(),
        "KP_CONTACT_PRIVATE_KEY": contact_private,
        "KP_CONTACT_PUBLIC_KEY": contact_public,
        "KP_LINK_KEY": secrets.token_urlsafe(32),
        "KP_PEPPER": secrets.token_urlsafe(32),
    }


def dkim_lines(domain: str, selector: str) -> list[str]:
    """A pair in RSA and one in Ed25519 for a domain: settings, and records as comments.

    Raises:
        OperatorError: one of the names cannot stand in DNS.
    """
    keys = [new_rsa_key(domain, selector), new_ed25519_key(domain, f"{selector}-ed25519")]
    settings = [domain, ",".join(key.selector for key in keys), ",".join(key.text for key in keys)]
    read_keys(*settings, f"any@{domain}")
    names = ("KP_DKIM_DOMAIN", "KP_DKIM_SELECTOR", "KP_DKIM_PRIVATE_KEY")
    return [
        *(f"{name}={value}" for name, value in zip(names, settings, strict=True)),
        "# for the zone, before the first mail is signed; the second is for receivers that know RFC 8463:",
        *(f"# {key.zone_line}" for key in keys),
    ]


def main(given: list[str]) -> int:
    """Print what is asked for; 2 if that is not understood."""
    if not given:
        for name, value in fresh_keys().items():
            print(f"{name}={value}")
        return 0
    if given[0] != "dkim" or len(given) not in (2, 3):
        print("usage: python -m notifier.keys [dkim DOMAIN [SELECTOR]]", file=sys.stderr)
        return 2
    selector = given[2] if len(given) == 3 else f"puls{datetime.now(UTC):%Y%m}"
    try:
        print("\n".join(dkim_lines(given[1], selector)))
    except OperatorError as error:
        print(f"notifier.keys: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
