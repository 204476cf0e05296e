"""Mail over a real socket."""

import asyncio
import socket

import pytest
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_events import Channel
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.gates import Gates
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.smtp import MailCarrier, SmtpAddress
from notifier.domain.composing import compose_test
from notifier.domain.contacts import MailAddress
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind, Lane, Sending
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock
from notifier.testing import NOON

pytestmark = pytest.mark.integration
CATALOGUE = PoCatalogue()


def message(number: int = 0) -> Message:
    sending = Sending(f"{number:040x}", Kind.TEST, "s-1", Channel.EMAIL, Lane.FIRST, NOON, NOON)
    return compose_test(sending, "Fjordvik kommune", CATALOGUE.words("nb"), "https://puls.example")


def to(address: str = "kari@post.example") -> Endpoint:
    return Endpoint("m-1", "s-1", Channel.EMAIL, MailAddress(address))


def carrier(port: int, at_once: int = 4) -> MailCarrier:
    address = SmtpAddress("127.0.0.1", port, None, None, "none", 2.0)
    composer = MailComposer(CATALOGUE, "puls@fjordvik.example")
    return MailCarrier(composer, address, "puls@fjordvik.example", Gates(at_once), Clock())


async def test_many_mails_go_over_few_connections(mail_sink) -> None:
    carrying = carrier(mail_sink.port, at_once=3)
    waiting = list(range(30))

    async def work() -> None:
        while waiting:
            await carrying.carry(message(waiting.pop()), to(), first=False)

    await asyncio.gather(*(work() for _ in range(3)))
    await carrying.close()
    assert len({mail["Message-ID"] for _, mail in mail_sink.mails}) == 30
    assert len(mail_sink.sessions) <= 3


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        ("550 5.1.1 User unknown", PermanentError, "hard-bounce"),
        ("550 5.7.1 Refused by policy", PermanentError, "refused"),
        ("552 5.2.2 Mailbox full", TransientError, "mailbox-full"),
        ("451 4.7.1 Greylisted, come back later", ThrottledError, "throttled"),
        ("450 4.2.1 Busy", TransientError, "later"),
    ],
)
async def test_a_refusal_becomes_an_error_of_ours_and_the_connection_is_kept(
    mail_sink, answer: str, error: type[Exception], reason: str
) -> None:
    carrying = carrier(mail_sink.port)
    await carrying.carry(message(), to(), first=False)
    mail_sink.refuse = lambda address: answer if address.startswith("kari") else None
    with pytest.raises(error) as raised:
        await carrying.carry(message(), to(), first=False)
    assert raised.value.reason == reason
    assert "kari" not in str(raised.value)
    await carrying.carry(message(), to("ola@post.example"), first=True)
    await carrying.close()
    assert len(mail_sink.sessions) == 1


async def test_a_mail_server_that_is_not_there_is_a_failure_that_may_pass() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TransientError) as raised:
            await carrier(taken.getsockname()[1]).carry(message(), to(), first=False)
    assert raised.value.reason == "unreachable"


async def test_a_mail_server_that_hangs_up_in_the_middle_is_a_failure_that_may_pass() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.write(b"250 ok\r\n")
        while not (await reader.readline()).startswith(b"DATA"):
            writer.write(b"250 ok\r\n")
        writer.write(b"354 go on\r\n")
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    carrying = carrier(server.sockets[0].getsockname()[1])
    with pytest.raises(TransientError) as raised:
        await carrying.carry(message(), to(), first=False)
    assert raised.value.reason == "broken-off"
    server.close()


async def test_a_connection_that_the_server_has_closed_is_not_used_again(mail_sink) -> None:
    carrying = carrier(mail_sink.port)
    await carrying.carry(message(1), to(), first=False)
    carrying._idle[0].client.close()
    await carrying.carry(message(2), to(), first=False)
    assert len(mail_sink.mails) == 2
    await carrying.close()
