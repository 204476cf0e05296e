"""From a message to a mail: headers nobody can add to, a text part and an HTML part."""

from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from kommunepuls_chassis.texts import plain_text

from notifier.domain.identity import message_id
from notifier.domain.messages import Message
from notifier.domain.sendings import Kind
from notifier.ports import Catalogue

_LONGEST_SUBJECT = 160
_ENCODING = "quoted-printable"
"""Of both bodies: what is put into a copy (:mod:`~notifier.adapters.mail_press`) is found in it again."""
_TEMPLATES = {Kind.ITEM: "item", Kind.DIGEST: "digest", Kind.LINK: "link", Kind.TEST: "test"}


class MailComposer:
    """Writes mails from one sender address."""

    def __init__(self, catalogue: Catalogue, sender: str) -> None:
        """`sender` is the address in From; its domain stands in Message-IDs too."""
        self._catalogue = catalogue
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._html = _environment(autoescape=True)
        self._text = _environment(autoescape=False)

    def compose(self, message: Message, address: str, now: datetime) -> EmailMessage:
        """The mail to one address. The same message always has the same Message-ID."""
        words = self._catalogue.words(message.language)
        values = {"message": message, "say": words.gettext, "count": words.ngettext}
        name = _TEMPLATES[message.kind]
        mail = EmailMessage(policy=SMTP.clone(max_line_length=78, cte_type="7bit"))
        mail["From"] = Address(one_line(message.sender, 80), addr_spec=self._sender)
        # What is before the @ beyond ASCII can only stand as it is, in UTF-8 (RFC 6532 section 3.2).
        mail["To"] = Address(addr_spec=address) if address.isascii() else _Folded("To", address)
        mail["Subject"] = _subject(one_line(message.title, _LONGEST_SUBJECT))
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = message_id(message.key, self._domain)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        if message.unsubscribe_url:
            mail["List-Unsubscribe"] = _Folded("List-Unsubscribe", f"<{message.unsubscribe_url}>")
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if any(story.emergency for story in message.stories):
            mail["Importance"] = "high"
        text = self._text.get_template(f"{name}.txt").render(values)
        html = self._html.get_template(f"{name}.html").render(values)
        mail.set_content(text, cte=_ENCODING)
        mail.add_alternative(html, subtype="html", cte=_ENCODING)
        mail["Content-Language"] = message.language  # set_content drops what was there before
        return mail


class _Folded(str):
    """A header's value as it goes on the wire.

    The standard library would write a long address in List-Unsubscribe as encoded words, which RFC 2369
    does not allow, and folds a subject of mixed characters so that it comes back with a space too many. It has
    no form for an address beyond ASCII.
    """

    def __new__(cls, name: str, wire: str) -> "_Folded":
        value = super().__new__(cls, wire)
        value.name = name
        return value

    def fold(self, *, policy: Policy) -> str:
        """Called by the policy in place of its own folding."""
        return f"{self.name}: {self}{policy.linesep}"


def _subject(text: str) -> _Folded:
    """RFC 2047 section 2: encoded words of at most 75 characters, lines of at most 76."""
    charset = "us-ascii" if text.isascii() else "utf-8"
    return _Folded("Subject", Header(text, charset, header_name="Subject").encode(linesep="\r\n"))


def one_line(text: str, most: int) -> str:
    """Text for a header: no markup, no control characters, no line breaks, not too long."""
    line = "".join(
        " " if not character.isprintable() else character for character in plain_text(text, is_html=False)
    )
    line = " ".join(line.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("notifier", "templates"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
