"""A mail server, a push service and a broker on real sockets."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import http_ece
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from kommunepuls_chassis.http import serve_http
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import embedded_broker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class MailSink:
    """What an aiosmtpd server on a real socket took."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    refuse: Callable[[str], str | None] = lambda address: None
    seconds: float = 0.0
    servers: list[SMTP] = field(default_factory=list)

    def server(self, **options: object) -> SMTP:
        """What serves one connection."""
        self.servers.append(SMTP(self, enable_SMTPUTF8=False, **options))
        return self.servers[-1]

    def hang_up(self) -> None:
        """Close all connections."""
        for server in self.servers:
            server.transport.close()

    @asynccontextmanager
    async def secured(self, tls: ssl.SSLContext, name: str, password: str) -> AsyncIterator[int]:
        """The same server behind STARTTLS and a login; yields its port."""

        def authenticated(
            _server: SMTP, _session: object, _envelope: object, _how: str, given: LoginPassword
        ) -> AuthResult:
            return AuthResult(
                success=(given.login, given.password) == (name.encode(), password.encode()), handled=False
            )

        server = await asyncio.get_running_loop().create_server(
            lambda: self.server(
                tls_context=tls, require_starttls=True, auth_required=True, authenticator=authenticated
            ),
            "127.0.0.1",
            0,
        )
        yield server.sockets[0].getsockname()[1]
        server.close()

    async def handle_EHLO(
        self, server: object, session: object, envelope: object, hostname: str, responses: list[str]
    ) -> list[str]:
        """Announce what it can: aiosmtpd reads line by line, whatever the packets."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(
        self, server: object, session: object, envelope: object, address: str, _: list
    ) -> str:
        """Take a recipient, or answer what `refuse` says."""
        self.sessions.add(id(session))
        if (answer := self.refuse(address)) is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        """Take a mail, slowly if told so."""
        await asyncio.sleep(self.seconds)
        self.raw.append(envelope.original_content)
        mail = message_from_bytes(envelope.content, policy=default)
        self.mails += [(recipient, mail) for recipient in envelope.rcpt_tos]
        return "250 2.0.0 OK"


@pytest.fixture
async def mail_sink() -> AsyncIterator[MailSink]:
    """A mail server."""
    sink = MailSink()
    server = await asyncio.get_running_loop().create_server(sink.server, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    yield sink
    server.close()


@dataclass
class Certificate:
    """A certificate for localhost: a server's context, and the file of who vouches for it."""

    context: ssl.SSLContext
    authority: Path


@pytest.fixture
def localhost_certificate(tmp_path: Path) -> Certificate:
    """Made for one test."""
    key, name = (
        generate_private_key(SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    chain, authority = tmp_path / "localhost.pem", tmp_path / "authority.pem"
    authority.write_bytes(certificate.public_bytes(Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + authority.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Certificate(context, authority)


@dataclass
class Browser:
    """A push subscription with its keys; reads what is sent to it."""

    path: str
    key: object = field(default_factory=lambda: generate_private_key(SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    def subscription(self, base: str) -> dict[str, str]:
        """As `PushSubscription.toJSON()` gives it, flattened."""
        public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": f"{base}/{self.path}", "p256dh": _text(public), "auth": _text(self.auth)}

    def read(self, body: bytes) -> dict:
        """Decrypt with a library that is not ours."""
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth))


@dataclass
class PushService:
    """What a fake push service was sent; answers by path."""

    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, Callable[[bytes], Response]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def take(self, request: Request) -> Response:
        """Take a push message."""
        path, body = request.path_params["path"], await request.body()
        self.requests.append((path, dict(request.headers), body))
        await asyncio.sleep(self.seconds.get(path, 0))
        return self.answers.get(path, lambda _: Response(status_code=201))(body)

    def bodies(self, path: str) -> list[bytes]:
        """What came to one subscription."""
        return [body for one, _, body in self.requests if one == path]


async def _push_service() -> AsyncIterator[PushService]:
    service = PushService()
    app = Starlette(routes=[Route("/{path}", service.take, methods=["POST"])])
    async with serve_http(app, "127.0.0.1", 0) as port:
        service.port = port
        yield service


@pytest.fixture
async def push_service() -> AsyncIterator[PushService]:
    """A push service."""
    async for service in _push_service():
        yield service


@pytest.fixture
async def other_push_service() -> AsyncIterator[PushService]:
    """Another one."""
    async for service in _push_service():
        yield service


@pytest.fixture
def make_browser() -> Callable[[str], Browser]:
    """Makes subscriptions."""
    return Browser


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[str]:
    """The address of an embedded broker with all topics."""
    async with embedded_broker(tmp_path / "broker") as address:
        await ensure_topics(ServiceSettings(kafka_bootstrap=address))
        yield address


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
