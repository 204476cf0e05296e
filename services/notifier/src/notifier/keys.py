"""``python -m notifier.keys`` prints fresh keys as lines for an environment file. Run it once."""

import secrets

from kommunepuls_chassis.sealing import new_key_pair

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


def main() -> None:
    """Print them."""
    for name, value in fresh_keys().items():
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
