"""A process that makes signatures, since one in RSA takes most of a millisecond and holds Python's lock meanwhile.

Reads its keys from standard input, never from its command line or environment, then digests, and writes signatures
to standard output until standard input closes: it ends with the process that started it, even by `kill -9`.
"""

import signal
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

COUNT = struct.Struct(">H")
"""Before keys or digests: how many come. Before a key: its length."""
DIGEST = struct.Struct(">B32s")
"""Which key, and the SHA-256 to sign."""


def main(read: BinaryIO, write: BinaryIO) -> None:
    """Sign until there is nothing more to read."""
    signers = [_signer(_sized(read)) for _ in range(_count(read))]
    while count := _count(read):
        asked = read.read(count * DIGEST.size)
        write.write(b"".join(signers[key](digest) for key, digest in DIGEST.iter_unpack(asked)))
        write.flush()


def _signer(der: bytes) -> Callable[[bytes], bytes]:
    key = load_der_private_key(der, None)
    if isinstance(key, Ed25519PrivateKey):
        return key.sign  # RFC 8463 section 3: the SHA-256 of the fields is what is signed
    padding, hashed = PKCS1v15(), Prehashed(SHA256())
    return lambda digest: key.sign(digest, padding, hashed)


def _count(read: BinaryIO) -> int:
    head = read.read(COUNT.size)
    return COUNT.unpack(head)[0] if len(head) == COUNT.size else 0


def _sized(read: BinaryIO) -> bytes:
    return read.read(_count(read))


if __name__ == "__main__":
    # Ctrl-C ends the parent, and with it this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.stdin.buffer, sys.stdout.buffer)
