"""Keys made ahead: each for one message, none for two, none that is old."""

import http_ece
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from notifier.adapters.key_stock import KeyStock
from notifier.adapters.push_encryption import encrypt

AUTH = b"0123456789abcdef"


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def browser() -> tuple[object, bytes]:
    key = generate_private_key(SECP256R1())
    return key, key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sender_of(body: bytes) -> bytes:
    return body[21:86]


def test_what_was_made_ahead_is_read_by_the_browser_it_was_made_for() -> None:
    stock, browsers = KeyStock(10, oldest_seconds=60), [browser() for _ in range(3)]
    for _, public in browsers:
        stock.offer(public, AUTH)
    stock.work(5)
    assert (len(stock), stock.wanting) == (3, 0)
    for number, (private, public) in enumerate(browsers):
        plain = f"hei {number}".encode()
        body = encrypt(plain, stock.take(public, AUTH))
        assert http_ece.decrypt(body, private_key=private, auth_secret=AUTH) == plain
    assert (stock.used_from_stock, stock.used_fresh) == (3, 0)


def test_over_a_thousand_messages_no_sender_key_comes_twice() -> None:
    stock, (_, public) = KeyStock(10, oldest_seconds=60), browser()
    senders = set()
    for number in range(1000):
        senders.add(sender_of(encrypt(b"hei", stock.take(public, AUTH))))
        if number % 3 == 0:
            stock.work(0.01)
    assert len(senders) == 1000
    assert stock.used_from_stock > 100
    assert stock.used_fresh > 100


def test_a_key_leaves_the_stock_before_it_is_used_and_another_is_made() -> None:
    stock, (_, public) = KeyStock(10, oldest_seconds=60), browser()
    stock.offer(public, AUTH)
    stock.work(5)
    stock.take(public, AUTH)
    assert (len(stock), stock.wanting) == (0, 1)
    stock.work(5)
    assert (len(stock), stock.wanting) == (1, 0)


def test_a_subscription_with_new_keys_gets_none_made_for_the_old_ones() -> None:
    stock, (private, public) = KeyStock(10, oldest_seconds=60), browser()
    stock.offer(public, AUTH)
    stock.work(5)
    body = encrypt(b"hei", stock.take(public, b"another secret!!"))
    assert http_ece.decrypt(body, private_key=private, auth_secret=b"another secret!!") == b"hei"
    assert stock.used_from_stock == 0


def test_what_is_too_old_is_thrown_away_unused() -> None:
    clock, (_, public) = Time(), browser()
    stock = KeyStock(10, oldest_seconds=60, clock=clock)
    stock.offer(public, AUTH)
    stock.work(5)
    clock.now = 61
    stock.take(public, AUTH)
    assert (stock.used_from_stock, stock.used_fresh) == (0, 1)
    clock.now = 200
    stock.work(5)
    clock.now = 261
    stock.work(0)
    assert len(stock) == 0


def test_no_more_are_kept_than_was_said() -> None:
    stock = KeyStock(2, oldest_seconds=60)
    for _ in range(5):
        stock.offer(browser()[1], AUTH)
    stock.work(5)
    assert len(stock) == 2


def test_what_is_no_point_spoils_nothing() -> None:
    stock, (_, public) = KeyStock(5, oldest_seconds=60), browser()
    stock.offer(b"\x04" + b"\x01" * 64, AUTH)
    stock.offer(public, AUTH)
    stock.work(5)
    assert (len(stock), stock.wanting) == (1, 0)
