"""The stack's keys: made once, kept in a file that only the user can read."""

import base64
import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.sealing import new_key_pair


def stack_keys(path: Path) -> dict[str, str]:
    """Environment variables with the keys of all services, the same at every start."""
    if path.exists():
        return json.loads(path.read_text())
    vapid = ec.generate_private_key(ec.SECP256R1())
    private, public = new_key_pair()
    keys = {
        "KP_VAPID_PRIVATE_KEY": _text(vapid.private_numbers().private_value.to_bytes(32, "big")),
        "KP_VAPID_PUBLIC_KEY": _text(
            vapid.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        ),
        "KP_VAPID_SUBJECT": "mailto:post@fjordvik.example",
        "KP_VAULT_KEY": _text(secrets.token_bytes(32)),
        "KP_CONTACT_PRIVATE_KEY": private,
        "KP_CONTACT_PUBLIC_KEY": public,
        "KP_LINK_KEY": secrets.token_urlsafe(32),
        "KP_PEPPER": secrets.token_urlsafe(32),
        "KP_OPERATOR_TOKENS": f"development:{secrets.token_urlsafe(24)}",
        "KP_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "KP_TOKEN_FACEBOOK": secrets.token_urlsafe(24),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(keys, file, indent=1)
    return keys


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
