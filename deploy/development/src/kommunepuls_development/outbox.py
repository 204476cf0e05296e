"""What was sent, for a person to read: an SMTP sink, a push service that decrypts, and a page over both.

``python -m kommunepuls_development.outbox --http PORT --smtp PORT --folder DIR``
"""

import argparse
import asyncio
import base64
import json
import re
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import http_ece
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jinja2 import Environment, PackageLoader, select_autoescape
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.http import operations_routes, serve_http
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

_LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass
class Mail:
    """One accepted mail."""

    number: int
    at: datetime
    recipient: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """As parsed by the standard library."""
        return message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """The text of the HTML or plain part."""
        body = self.message.get_body((kind,))
        return body.get_content() if body else ""

    def as_json(self) -> dict:
        """For tests and scripts."""
        message = self.message
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "recipient": self.recipient,
            "headers": {name: str(value) for name, value in message.items()},
            "subject": str(message["subject"]),
            "text": self.part("plain"),
            "html": self.part("html"),
        }


@dataclass
class Push:
    """One accepted push message, decrypted."""

    number: int
    at: datetime
    subscription: str
    headers: dict[str, str]
    payload: dict

    def as_json(self) -> dict:
        """For tests and scripts."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "subscription": self.subscription,
            "headers": self.headers,
            "payload": self.payload,
        }


@dataclass
class Subscription:
    """One browser that the fake push service stands for."""

    key: ec.EllipticCurvePrivateKey
    secret: bytes
    gone: bool = False


@dataclass
class Outbox:
    """Everything that was accepted since the start."""

    folder: Path | None = None
    mails: list[Mail] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take a mail, a copy for each recipient."""
        for recipient in envelope.rcpt_tos:
            mail = Mail(len(self.mails) + 1, datetime.now(UTC), recipient, envelope.content)
            self.mails.append(mail)
            if self.folder:
                await asyncio.to_thread((self.folder / f"{mail.number:05d}.eml").write_bytes, mail.raw)
        return "250 2.0.0 accepted"

    def subscribe(self) -> dict:
        """A fresh subscription as a browser would give it: path, p256dh, auth."""
        name = secrets.token_urlsafe(16)
        key = ec.generate_private_key(ec.SECP256R1())
        secret = secrets.token_bytes(16)
        self.subscriptions[name] = Subscription(key, secret)
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "path": f"/push/{name}",
            "name": name,
            "keys": {"p256dh": _text(public), "auth": _text(secret)},
        }

    def accept(self, name: str, headers: dict[str, str], body: bytes) -> int:
        """Take a push message as RFC 8030 says; the HTTP status to answer with."""
        subscription = self.subscriptions.get(name)
        if subscription is None or subscription.gone:
            return 410
        if not headers.get("authorization", "").startswith("vapid ") or not headers.get("ttl", "").isdigit():
            return 400
        try:
            plain = http_ece.decrypt(
                body, private_key=subscription.key, auth_secret=subscription.secret, version="aes128gcm"
            )
            payload = json.loads(plain)
        except (http_ece.ECEException, ValueError):
            return 400
        kept = {name: headers[name] for name in ("ttl", "urgency", "topic") if name in headers}
        self.pushes.append(Push(len(self.pushes) + 1, datetime.now(UTC), name, kept, payload))
        return 201


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def outbox_app(outbox: Outbox, health: Health) -> Starlette:
    """The push service and the pages."""
    pages = Environment(
        loader=PackageLoader("kommunepuls_development"), autoescape=select_autoescape(default=True)
    )
    secure = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; img-src data:"
    }

    async def index(_request: Request) -> Response:
        page = pages.get_template("outbox.html").render(
            mails=list(reversed(outbox.mails[-200:])), pushes=list(reversed(outbox.pushes[-200:])),
            mail_count=len(outbox.mails), push_count=len(outbox.pushes),
        )  # fmt: skip
        return HTMLResponse(page, headers=secure)

    def mail_of(request: Request) -> Mail | None:
        number = request.path_params["number"]
        return outbox.mails[number - 1] if 1 <= number <= len(outbox.mails) else None

    async def one_mail(request: Request) -> Response:
        mail = mail_of(request)
        if mail is None:
            return RedirectResponse("/")
        links = list(dict.fromkeys(_LINK.findall(mail.part("plain"))))
        page = pages.get_template("mail.html").render(mail=mail, message=mail.message, links=links)
        return HTMLResponse(page, headers=secure)

    async def mail_html(request: Request) -> Response:
        mail = mail_of(request)
        return HTMLResponse(mail.part("html") if mail else "", headers=secure)

    async def mail_raw(request: Request) -> Response:
        mail = mail_of(request)
        return Response(mail.raw if mail else b"", media_type="text/plain; charset=utf-8")

    async def mails_json(request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        return JSONResponse([mail.as_json() for mail in outbox.mails[after:]])

    async def pushes_json(request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        return JSONResponse([push.as_json() for push in outbox.pushes[after:]])

    async def subscribe(_request: Request) -> Response:
        return JSONResponse(outbox.subscribe(), 201)

    async def unsubscribe(request: Request) -> Response:
        if subscription := outbox.subscriptions.get(request.path_params["name"]):
            subscription.gone = True
        return Response(status_code=204)

    async def push(request: Request) -> Response:
        body = await request.body()
        if len(body) > 4096:  # RFC 8291 section 4: a push service need not take more
            return Response(status_code=413)
        status = outbox.accept(request.path_params["name"], dict(request.headers), body)
        return Response(
            status_code=status,
            headers={"location": f"/message/{len(outbox.pushes)}"} if status == 201 else None,
        )

    return Starlette(
        routes=[
            Route("/", index),
            Route("/mails/{number:int}", one_mail),
            Route("/mails/{number:int}/html", mail_html),
            Route("/mails/{number:int}/raw", mail_raw),
            Route("/api/mails", mails_json),
            Route("/api/pushes", pushes_json),
            Route("/api/subscriptions", subscribe, methods=["POST"]),
            Route("/push/{name}", push, methods=["POST"]),
            Route("/push/{name}", unsubscribe, methods=["DELETE"]),
            *operations_routes(health),
        ]
    )


async def serve(http_port: int, smtp_port: int, folder: Path | None) -> None:
    """Serve until cancelled."""
    outbox = Outbox(folder)
    health = Health()
    smtp = UnthreadedController(
        outbox, hostname="127.0.0.1", port=smtp_port, loop=asyncio.get_running_loop(), enable_SMTPUTF8=True
    )
    try:
        smtp.server = await smtp._create_server()
    except OSError:
        raise OperatorError(f"port {smtp_port} for SMTP is taken") from None
    async with serve_http(outbox_app(outbox, health), "127.0.0.1", http_port):
        health.component("outbox", stale_after=0).beat(ready=True)
        await asyncio.Event().wait()


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Keep and show what was sent; for development.")
    parser.add_argument("--http", type=int, required=True, help="port of the page and of the push service")
    parser.add_argument("--smtp", type=int, required=True, help="port of the SMTP sink")
    parser.add_argument("--folder", type=Path, help="keep mails as .eml files here")
    arguments = parser.parse_args()
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(serve(arguments.http, arguments.smtp, arguments.folder))
    except OperatorError as error:
        print(f"outbox: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
