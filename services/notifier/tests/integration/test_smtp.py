"""Mail over a real socket."""

import asyncio
import socket

import pytest
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from notifier.testing import item_message, mail_carrier, mail_endpoint, mail_message

pytestmark = pytest.mark.integration


async def test_many_mails_go_over_few_connections(mail_sink) -> None:
    carrying = mail_carrier(mail_sink.port, at_once=3)
    waiting = list(range(30))

    async def work() -> None:
        while waiting:
            await carrying.carry(mail_message(waiting.pop()), mail_endpoint(), first=False)

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
    carrying = mail_carrier(mail_sink.port)
    await carrying.carry(mail_message(), mail_endpoint(), first=False)
    mail_sink.refuse = lambda address: answer if address.startswith("kari") else None
    with pytest.raises(error) as raised:
        await carrying.carry(mail_message(), mail_endpoint(), first=False)
    assert raised.value.reason == reason
    assert "kari" not in str(raised.value)
    await carrying.carry(mail_message(), mail_endpoint("ola@post.example"), first=True)
    await carrying.close()
    assert len(mail_sink.sessions) == 1


async def test_a_mail_server_that_is_not_there_is_a_failure_that_may_pass() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TransientError) as raised:
            await mail_carrier(taken.getsockname()[1]).carry(mail_message(), mail_endpoint(), first=False)
    assert raised.value.reason == "unreachable"


@pytest.mark.parametrize("how", ["not there", "hangs up on all at once", "never greets"])
async def test_no_mail_waits_on_when_all_connections_fail_in_the_same_moment(how: str) -> None:
    connections, mails = 8, 24
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if how == "hangs up on all at once" and len(writers) == connections:
            for one in writers:
                one.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if how == "not there":
        server.close()
    carrying = mail_carrier(port, at_once=mails, connections=connections, timeout=0.5)
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(
            *(carrying.carry(mail_message(number), mail_endpoint(), first=False) for number in range(mails)),
            return_exceptions=True,
        )
    assert all(isinstance(one, TransientError) and one.reason == "unreachable" for one in outcomes)
    assert len(writers) == (0 if how == "not there" else connections)
    for one in writers:
        one.close()
    server.close()


async def test_a_server_that_hangs_up_right_after_its_greeting_leaves_no_dead_connections_behind(
    mail_sink,
) -> None:
    connections, greeted = 4, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greeted
        greeted += 1
        writer.write(b"220 hello\r\n")
        await reader.readline()
        if greeted <= 2 * connections:
            writer.write(b"250 hello\r\n")
            writer.close()
            return
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", mail_sink.port)
        await behind_reader.readline()
        behind_writer.write(b"EHLO test\r\n")

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
            target.close()

        await asyncio.gather(pump(behind_reader, writer), pump(reader, behind_writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    carrying = mail_carrier(server.sockets[0].getsockname()[1], at_once=8, connections=connections, timeout=2)
    tried = 0
    while greeted <= 2 * connections:
        tried += 1
        await asyncio.gather(
            *(carrying.carry(mail_message(number), mail_endpoint(), first=True) for number in range(8)),
            return_exceptions=True,
        )
        assert tried < 20, f"only {greeted} connections were made"
    async with asyncio.timeout(10):
        await carrying.carry(mail_message(100), mail_endpoint(), first=True)
    assert mail_sink.mails
    await carrying.close()
    server.close()


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
    carrying = mail_carrier(server.sockets[0].getsockname()[1])
    with pytest.raises(TransientError) as raised:
        await carrying.carry(mail_message(), mail_endpoint(), first=False)
    assert raised.value.reason == "broken-off"
    server.close()


async def test_a_connection_that_the_server_has_closed_is_not_used_again(mail_sink) -> None:
    carrying = mail_carrier(mail_sink.port)
    await carrying.carry(mail_message(1), mail_endpoint(), first=False)
    mail_sink.hang_up()
    await carrying.carry(mail_message(2), mail_endpoint(), first=False)
    assert len(mail_sink.mails) == 2
    assert len(mail_sink.sessions) == 2
    await carrying.close()


@pytest.mark.parametrize("password", ["right", "wrong"])
async def test_a_server_that_wants_tls_and_a_login_gets_both(
    mail_sink, localhost_certificate, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(localhost_certificate.authority))
    async with mail_sink.secured(localhost_certificate.context, "puls", "right") as port:
        carrying = mail_carrier(
            port, host="localhost", security="starttls", username="puls", password=password
        )
        if password == "right":
            await asyncio.gather(
                *(carrying.carry(mail_message(number), mail_endpoint(), first=False) for number in range(4))
            )
            assert len(mail_sink.mails) == 4
        else:
            with pytest.raises(TransientError) as raised:
                await carrying.carry(mail_message(1), mail_endpoint(), first=False)
            assert raised.value.reason == "smtp-login"
        await carrying.close()


async def test_a_server_whose_certificate_is_nobody_s_is_given_no_mail(
    mail_sink, localhost_certificate
) -> None:
    async with mail_sink.secured(localhost_certificate.context, "puls", "right") as port:
        with pytest.raises(TransientError):
            await mail_carrier(port, host="localhost", security="starttls").carry(
                mail_message(1), mail_endpoint(), first=False
            )
    assert not mail_sink.mails


async def test_lines_that_begin_with_a_dot_arrive_as_they_were_written(mail_sink) -> None:
    letter = item_message(summary=".\n..\n.dot\n" + "= " * 80 + "\n. end")
    carrying = mail_carrier(mail_sink.port)
    await carrying.carry(letter, mail_endpoint(), first=False)
    await carrying.close()
    [(_, mail)] = mail_sink.mails
    assert letter.stories[0].summary in mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
