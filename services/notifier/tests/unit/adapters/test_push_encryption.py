"""RFC 8291 and RFC 8292, against the published vectors and a browser's own tests."""

import base64
import json
import struct
from datetime import timedelta
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.errors import OperatorError, PermanentError
from notifier.adapters.push_encryption import encrypt, new_message_key
from notifier.adapters.vapid import VapidSigner, new_private_key, public_key_of
from notifier.domain.push_payload import LARGEST_PLAIN_TEXT
from notifier.testing import NOON


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private(text: str):
    return derive_private_key(int.from_bytes(raw(text), "big"), SECP256R1())


def decrypt(body: bytes, key: object, auth: bytes) -> bytes:
    """A receiver written for these tests from RFC 8188 section 2 and RFC 8291 section 3."""
    if len(body) < 21:
        raise ValueError("truncated header")
    salt, (record_size, length) = body[:16], struct.unpack("!LB", body[16:21])
    sender, records = body[21 : 21 + length], body[21 + length :]
    shared = key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
    own = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def derive(secret: bytes, with_salt: bytes, info: bytes, size: int) -> bytes:
        return HKDF(hashes.SHA256(), size, with_salt, info).derive(secret)

    secret = derive(shared, auth, b"WebPush: info\0" + own + sender, 32)
    content_key = derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    plain = b""
    for number, start in enumerate(range(0, len(records), record_size)):
        mixed = (int.from_bytes(nonce, "big") ^ number).to_bytes(12, "big")
        opened = AESGCM(content_key).decrypt(mixed, records[start : start + record_size], None).rstrip(b"\0")
        last = start + record_size >= len(records)
        if opened[-1:] != (b"\x02" if last else b"\x01"):
            raise ValueError("wrong delimiter")
        plain += opened[:-1]
    return plain


def test_the_example_of_rfc_8291_comes_out_byte_for_byte(shared_data: Path) -> None:
    vector = json.loads((shared_data / "push_email/webpush/rfc8291_appendix_a.json").read_text())
    body = encrypt(
        vector["plaintext"].encode(),
        new_message_key(
            raw(vector["ua_public"]),
            raw(vector["auth_secret"]),
            sender_key=private(vector["as_private"]),
            salt=raw(vector["salt"]),
        ),
    )
    assert body == raw(vector["body"])


def test_the_receiver_of_these_tests_agrees_with_a_browser(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "push_email/webpush/gecko_aes128gcm.json").read_text())
    good = 0
    for vector in vectors:
        key, auth = private(vector["ua_private"]), raw(vector["auth_secret"])
        if "must_fail" in vector:
            with pytest.raises(ValueError, match=r".*"):
                decrypt(raw(vector["data"]), key, auth)
        else:
            good += 1
            assert decrypt(raw(vector["data"]), key, auth).decode() == vector["plaintext"]
    assert good == 2


def verified(header: str) -> dict:
    """The claims of a VAPID header whose signature fits its key."""
    scheme, _, parameters = header.partition(" ")
    assert scheme == "vapid"
    values = dict(part.strip().split("=", 1) for part in parameters.split(","))
    signed, _, signature = values["t"].rpartition(".")
    both = raw(signature)
    der = encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw(values["k"]))
    key.verify(der, signed.encode(), ECDSA(hashes.SHA256()))
    return json.loads(raw(signed.split(".")[1]))


def test_the_example_of_rfc_8292_is_verified_as_ours_are(shared_data: Path) -> None:
    vector = json.loads((shared_data / "push_email/webpush/rfc8292_vapid_example.json").read_text())
    assert verified(vector["authorization"]) == vector["claims"]


def test_what_we_sign_names_the_push_service_and_ends_within_a_day() -> None:
    signer = VapidSigner(new_private_key(), "mailto:drift@fjordvik.example")
    claims = verified(signer.authorization("https://push.example", NOON))
    assert claims["aud"] == "https://push.example"
    assert claims["sub"] == "mailto:drift@fjordvik.example"
    assert 0 < claims["exp"] - NOON.timestamp() <= 86_400


def test_a_token_is_signed_once_for_each_service_until_it_is_old() -> None:
    signer = VapidSigner(new_private_key(), "mailto:drift@fjordvik.example")
    first = signer.authorization("https://push.example", NOON)
    assert signer.authorization("https://push.example", NOON + timedelta(hours=10)) == first
    assert signer.authorization("https://other.example", NOON) != first
    renewed = signer.authorization("https://push.example", NOON + timedelta(hours=11, minutes=30))
    assert renewed != first
    assert verified(renewed)["exp"] > verified(first)["exp"]


def test_an_independent_receiver_reads_what_we_encrypt() -> None:
    receiver, auth = generate_private_key(SECP256R1()), b"0123456789abcdef"
    public = receiver.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for plain in (b"", b"hei", "brøyting 🚜".encode(), b"x" * LARGEST_PLAIN_TEXT):
        body = encrypt(plain, new_message_key(public, auth))
        assert len(body) <= 4096
        assert decrypt(body, receiver, auth) == plain
        assert http_ece.decrypt(body, private_key=receiver, auth_secret=auth) == plain


def test_no_two_messages_share_key_or_salt() -> None:
    receiver = generate_private_key(SECP256R1())
    public = receiver.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    bodies = [encrypt(b"hei", new_message_key(public, b"0" * 16)) for _ in range(5)]
    assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 5


def test_a_key_that_is_no_point_is_refused() -> None:
    with pytest.raises(PermanentError, match="P-256"):
        new_message_key(b"\x04" + b"\x01" * 64, b"0" * 16)


@pytest.mark.parametrize("key", ["", "AAAA", "not base64 é", "A" * 43])
def test_a_wrong_vapid_key_is_told_in_one_line(key: str) -> None:
    with pytest.raises(OperatorError, match="KP_VAPID_PRIVATE_KEY"):
        public_key_of(key)
