"""Several mails in the pipeline of one connection: each gets its own answer, whatever happens to the others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from notifier.adapters.smtp import MailCarrier
from notifier.testing import mail_carrier, mail_endpoint, mail_message

pytestmark = pytest.mark.integration
MAILS = 24
ADDRESSES = [f"r{number}@post.example" for number in range(MAILS)]


@dataclass
class Server:
    """A mail server that tells what came in which packet, and misbehaves as told.

    Attributes:
        announced: keywords of EHLO.
        answer: by command line (or `.` for the end of a mail) and number of mails taken: another answer than
            the usual one; `close` hangs up, `silence` never answers.
        gulp: whether it throws away what came with a command (it does not pipeline, whatever it says).
        crumbs: whether its answers come a byte at a time.
    """

    announced: tuple[str, ...] = ("PIPELINING", "SIZE 20000", "8BITMIME")
    answer: Callable[[str, int], str | None] = lambda line, taken: None
    gulp: bool = False
    crumbs: bool = False
    port: int = 0
    packets: list[bytes] = field(default_factory=list)
    connections: int = 0
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        await self._say(writer, "220 hello\n")
        held, recipient, in_mail = b"", "", False
        while packet := await reader.read(65_536):
            self.packets.append(packet)
            held += packet
            while (end := held.find(b"\r\n.\r\n" if in_mail else b"\r\n")) >= 0:
                line = "." if in_mail else held[:end].decode()
                content, held = held[2 : end + 2], held[end + (5 if in_mail else 2) :]
                if self.gulp:
                    held = b""
                said = self.answer(line, len(self.taken))
                if said == "close":
                    writer.close()
                    return
                if said == "silence":
                    continue
                if in_mail:
                    in_mail = False
                    if said is None:
                        self.taken.append((recipient, content))
                elif line.startswith("RCPT"):
                    recipient = line[9:-1]
                elif line == "DATA" and (said is None or said.startswith("354")):
                    # A dot alone is an empty mail: the end of the command's line counts.
                    in_mail, held = True, b"\r\n" + held
                await self._say(writer, said or self._usual(line))
        writer.close()

    def _usual(self, line: str) -> str:
        if line.startswith("EHLO"):
            return "\n".join(f"250-{keyword}" for keyword in ("server", *self.announced)) + "\n250 HELP"
        return "354 go on" if line == "DATA" else "250-2.0.0 fine\n250 2.0.0 more of it"

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        raw = text.rstrip("\n").replace("\n", "\r\n").encode() + b"\r\n"
        for at in range(0, len(raw), 1 if self.crumbs else len(raw)):
            writer.write(raw[at : at + (1 if self.crumbs else len(raw))])
            if self.crumbs:
                await asyncio.sleep(0)


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()


async def sent(
    carrying: MailCarrier, addresses: Sequence[str] = ADDRESSES
) -> dict[str, BaseException | None]:
    """What became of mails that are handed over together, by address."""
    outcomes = await asyncio.gather(
        *(
            carrying.carry(mail_message(number), mail_endpoint(address), first=False)
            for number, address in enumerate(addresses)
        ),
        return_exceptions=True,
    )
    return dict(zip(addresses, outcomes, strict=True))


def failures(outcomes: dict[str, BaseException | None]) -> dict[str, BaseException]:
    return {address: error for address, error in outcomes.items() if error is not None}


@pytest.mark.parametrize("crumbs", [False, True])
async def test_the_next_mail_is_begun_in_one_write_with_the_content_of_the_one_before(crumbs: bool) -> None:
    async with running(Server(crumbs=crumbs)) as server:
        carrying = mail_carrier(server.port, at_once=MAILS, connections=1)
        assert not failures(await sent(carrying))
        await carrying.close()
    assert sorted(recipient for recipient, _ in server.taken) == sorted(ADDRESSES)
    assert server.connections == 1
    following = [packet for packet in server.packets if b"\r\n.\r\nMAIL FROM:" in packet]
    assert len(following) == MAILS - 1
    assert all(packet.endswith(b"DATA\r\n") for packet in following)
    assert all(f"To: {recipient}\r\n".encode() in content for recipient, content in server.taken)


async def test_a_server_that_does_not_announce_pipelining_is_asked_one_command_at_a_time() -> None:
    refuse = {"RCPT TO:<r3@post.example>": "550 5.1.1 nobody", "RCPT TO:<r5@post.example>": "450 4.2.1 busy"}
    async with running(Server(("SIZE",), lambda line, _: refuse.get(line))) as server:
        outcomes = await sent(mail_carrier(server.port, at_once=MAILS, connections=2))
    assert set(failures(outcomes)) == {"r3@post.example", "r5@post.example"}
    assert len(server.taken) == MAILS - 2
    commands = [packet for packet in server.packets if packet[:4] in (b"MAIL", b"RCPT", b"DATA", b"RSET")]
    assert all(packet.count(b"\r\n") == 1 for packet in commands)


UNWANTED = {f"r{number}@post.example" for number in (2, 3, 11, MAILS - 1)}


class Picky:
    """Refuses some, at a command of theirs."""

    def __init__(self, at: str, code: str, data: str | None = "503 5.5.1 nobody to send it to") -> None:
        self._at, self._code, self._data = at, code, data
        self._unwanted = False

    def __call__(self, line: str, _: int) -> str | None:
        if line.startswith("MAIL"):
            self._unwanted = False
        if line.startswith("RCPT"):
            self._unwanted = line[9:-1] in UNWANTED
        if self._unwanted and line.startswith(self._at):
            return self._code
        if self._unwanted and line == "DATA" and self._at == "RCPT":
            return self._data
        return "554 5.5.1 no recipients" if self._unwanted and line == "." else None


@pytest.mark.parametrize(
    ("picky", "reason"),
    [
        (Picky("RCPT", "550 5.1.1 User unknown"), "hard-bounce"),
        (Picky("RCPT", "550 5.1.1 User unknown", data=None), "hard-bounce"),
        (Picky("DATA", "554 5.7.1 not from you"), "refused"),
        (Picky(".", "554 5.7.1 looks like spam"), "refused"),
    ],
)
async def test_some_refused_among_many_hurt_no_other(picky: Picky, reason: str) -> None:
    async with running(Server(answer=picky)) as server:
        failed = failures(await sent(mail_carrier(server.port, at_once=MAILS, connections=1)))
    assert set(failed) == UNWANTED
    assert {error.reason for error in failed.values()} == {reason}
    assert {recipient for recipient, _ in server.taken} | UNWANTED == set(ADDRESSES)
    assert len(server.taken) == MAILS - len(UNWANTED)
    assert server.connections == 1


async def test_an_envelope_that_is_refused_at_mail_takes_nothing_with_it() -> None:
    seen = {"mails": 0}

    def answer(line: str, _: int) -> str | None:
        seen["mails"] += line.startswith("MAIL")
        if seen["mails"] != 7 or line == ".":
            return None
        return "451 4.3.0 not this one" if line.startswith("MAIL") else "503 5.5.1 MAIL first"

    async with running(Server(answer=answer)) as server:
        [(address, error)] = failures(
            await sent(mail_carrier(server.port, at_once=MAILS, connections=1))
        ).items()
    assert isinstance(error, TransientError)
    assert error.reason == "later"
    assert sorted({recipient for recipient, _ in server.taken} | {address}) == sorted(ADDRESSES)


async def test_who_hangs_up_before_the_answer_leaves_one_mail_in_doubt_and_the_others_are_sent() -> None:
    async with running(Server(answer=_closing_once(".", 9))) as server:
        carrying = mail_carrier(server.port, at_once=MAILS, connections=1)
        outcomes = await sent(carrying)
        [(address, error)] = failures(outcomes).items()
        assert isinstance(error, TransientError)
        assert error.reason == "broken-off"
        assert address not in {recipient for recipient, _ in server.taken}
        assert len(server.taken) == len({recipient for recipient, _ in server.taken}) == MAILS - 1
        assert server.connections == 2
        # Tried again later it has the same Message-ID, and comes.
        await carrying.carry(
            mail_message(int(address[1:].partition("@")[0])), mail_endpoint(address), first=False
        )
        assert len(server.taken) == MAILS


def _closing_once(line: str, after: int, say: str = "close") -> Callable[[str, int], str | None]:
    done = []

    def answer(given: str, taken: int) -> str | None:
        if given.startswith(line) and taken == after and not done:
            done.append(given)
            return say
        return None

    return answer


@pytest.mark.parametrize("say", ["close", "421 4.3.2 shutting down"])
async def test_a_connection_that_ends_between_mails_costs_none_of_them(say: str) -> None:
    async with running(Server(answer=_closing_once("MAIL", 9, say))) as server:
        outcomes = await sent(mail_carrier(server.port, at_once=MAILS, connections=1))
    assert not failures(outcomes)
    assert len({recipient for recipient, _ in server.taken}) == len(server.taken) == MAILS
    assert server.connections == 2


async def test_a_server_that_is_closing_from_the_start_asks_for_patience() -> None:
    async with running(
        Server(answer=lambda line, _: "421 4.7.0 too many" if line.startswith("MAIL") else None)
    ) as server:
        outcomes = await sent(mail_carrier(server.port), ADDRESSES[:1])
    assert isinstance(outcomes["r0@post.example"], ThrottledError)


@pytest.mark.parametrize("how", ["gulp", "refuse", "hang-up", "nonsense"])
async def test_a_server_that_announces_pipelining_and_cannot_do_it_is_asked_one_at_a_time(how: str) -> None:
    def answer(line: str, _: int) -> str | None:
        # It looks whether more came in the packet than the line it reads.
        if line.startswith(("MAIL", "RCPT")) and server.packets[-1].count(b"\r\n") > 1:
            return {
                "refuse": "503 5.5.0 improper command pipelining",
                "hang-up": "close",
                "nonsense": "?",
            }.get(how)
        return None

    server = Server(answer=answer, gulp=how == "gulp")
    async with running(server):
        carrying = mail_carrier(server.port, at_once=MAILS, connections=2, timeout=0.5)
        outcomes = await sent(carrying)
        assert not failures(outcomes)
        assert len({recipient for recipient, _ in server.taken}) == len(server.taken) == MAILS


async def test_a_mail_that_is_given_up_is_not_sent_and_the_others_are() -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Server):
        async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
            if text.startswith("354") and not reached.is_set():
                reached.set()
                await go_on.wait()
            await super()._say(writer, text)

    async with running(Slow()) as server:
        carrying = mail_carrier(server.port, at_once=MAILS, connections=1)
        given_up = asyncio.create_task(
            carrying.carry(mail_message(1), mail_endpoint(ADDRESSES[1]), first=False)
        )
        await reached.wait()
        others = asyncio.create_task(sent(carrying, ADDRESSES[2:8]))
        given_up.cancel()
        go_on.set()
        assert not failures(await others)
        assert sorted(recipient for recipient, _ in server.taken) == ADDRESSES[2:8]


async def test_a_mail_larger_than_the_server_takes_is_refused_without_being_sent() -> None:
    async with running(Server(announced=("PIPELINING", "SIZE 100"))) as server:
        outcomes = await sent(mail_carrier(server.port), ADDRESSES[:1])
    assert outcomes["r0@post.example"].reason == "refused"
    assert not any(packet.startswith(b"MAIL") for packet in server.packets)


@pytest.mark.parametrize("announced", [("PIPELINING", "8BITMIME", "SMTPUTF8"), ("PIPELINING",)])
async def test_an_address_beyond_ascii_goes_to_servers_that_take_it(announced: tuple[str, ...]) -> None:
    async with running(Server(announced=announced)) as server:
        carrying = mail_carrier(server.port)
        # The domain alone can always be written in ASCII.
        await carrying.carry(mail_message(1), mail_endpoint("kari@blåbær.example"), first=False)
        assert server.taken[0][0] == "kari@xn--blbr-roah.example"
        if "SMTPUTF8" in announced:
            await carrying.carry(mail_message(2), mail_endpoint("kåri@post.example"), first=False)
            assert server.taken[1][0] == "kåri@post.example"
            assert "To: kåri@post.example\r\n".encode() in server.taken[1][1]
        else:
            with pytest.raises(PermanentError) as refused:
                await carrying.carry(mail_message(2), mail_endpoint("kåri@post.example"), first=False)
            assert refused.value.reason == "refused"
            assert "kåri" not in str(refused.value)
