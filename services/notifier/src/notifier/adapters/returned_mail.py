"""Reading returned mails: delivery reports (RFC 3464), complaints (RFC 5965), auto-replies (RFC 3834).

Servers that write no report in the standard's form say it in prose; what the common ones write is looked
for in the text above the copy of our own mail.
"""

import email
import json
import re
from email.message import Message
from email.policy import compat32

from notifier.domain.bounces import Bounce, Effect, Failure, bounce_of, complaint_of

LARGEST_MAIL = 512 * 1024
_MOST_PARTS = 60
_MOST_RECIPIENTS = 20
_LONGEST_TEXT = 20_000

_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_MESSAGE_ID = re.compile(r"(?im)^message-id:\s*(?:\n?[ \t]+)?(<?[^\s<>]+>?)")
_FIELD = re.compile(
    r"(?im)^(final-recipient|original-recipient|action|status|diagnostic-code):[ \t]*(.*(?:\n[ \t]+.*)*)"
)
_COPY_BEGINS = re.compile(
    r"(?im)^(?:-{2,} ?(?:this is a copy of the message|below this line is a copy|original message|the header of the "
    r"original|unsent message|returned message).*|\s*below is a copy of the original message.*|original message headers:.*|"
    r"\|-+ message text follows.*)$"
)
_REPORTS_FAILURE = re.compile(
    r"(?i)undeliver|delivery (?:has )?fail|mail(?: delivery)? failed|failure notice|returned mail|"
    r"delivery status notification|nondeliver|could not be delivered|delayed mail|delivery failure|mail delivery system"
)
_STILL_TRYING = re.compile(
    r"(?i)\(delay\)|has been delayed|warning (?:message )?only|still being retried|will be retried"
)
_FROM_A_MAILER = re.compile(r"(?i)mailer[- ]daemon|postmaster|mail delivery|mdaemon|<>")
_AUTO_REPLY_SUBJECT = re.compile(
    r"(?i)^\s*(?:automatic reply|auto(?:matic)?[ -]?repl\w*|autosvar|automatisk svar|out of (?:the )?office|fravær|frånvaro)\b"
)


def read_returned_mail(raw: bytes) -> list[Bounce]:
    """What a mail to our return address says; one entry a recipient, or a single one of effect `none`.

    Never raises for what the mail holds: at most 512 KiB, 60 parts and 20 recipients are read.
    """
    text = raw[:LARGEST_MAIL].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    mail = email.message_from_bytes(text, policy=compat32)
    parts = _parts(mail)
    original = _original_message_id(mail, parts)
    if report := _part_of(parts, "message/feedback-report"):
        return [_complaint(report, parts, original)]
    failures = _reported_failures(parts)
    if failures:
        return [bounce_of(failure, original) for failure in failures]
    if _is_auto_reply(mail):
        return [Bounce(Effect.NONE, "auto-reply")]
    if notification := _provider_notification(parts):
        return notification
    return _from_prose(mail, parts, original)


def _parts(mail: Message) -> list[Message]:
    parts = []
    for part in mail.walk():
        parts.append(part)
        if len(parts) >= _MOST_PARTS:
            break
    return parts


def _part_of(parts: list[Message], kind: str) -> Message | None:
    return next((part for part in parts if part.get_content_type() == kind), None)


def _is_text(part: Message) -> bool:
    """Also a multipart whose boundary never comes: its parts are one text."""
    return part.get_content_maintype() == "text" or (
        part.get_content_maintype() == "multipart" and not part.is_multipart()
    )


def _text_of(part: Message) -> str:
    """The text of a part, whatever its type and encoding."""
    payload = part.get_payload()
    if isinstance(payload, list):  # message/* parts hold messages: their fields are headers
        return "\n\n".join(
            "\n".join(f"{k}: {v}" for k, v in inner.items()) for inner in payload[:_MOST_PARTS]
        )
    raw = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or "utf-8"
    try:
        return raw.decode(charset, errors="replace")
    except LookupError:
        return raw.decode("utf-8", errors="replace")


def _reported_failures(parts: list[Message]) -> list[Failure]:
    """The recipients of delivery reports; also where the report stands in the text, out of its place."""
    texts = [_text_of(part) for part in parts if part.get_content_type() == "message/delivery-status"]
    if not any("final-recipient" in text.lower() for text in texts):
        texts = [_text_of(part) for part in parts if _is_text(part)][:2]
        texts += [
            str(part.preamble or "") + str(part.epilogue or "") for part in parts if part.is_multipart()
        ]
    failures = []
    for block in re.split(r"\n\s*\n", "\n\n".join(texts)[: 4 * _LONGEST_TEXT]):
        fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(block)}
        recipient = fields.get("final-recipient") or fields.get("original-recipient")
        if recipient and "action" in fields:
            address = recipient.partition(";")[2].strip() or recipient
            failures.append(
                Failure(address, fields["action"], fields.get("status"), fields.get("diagnostic-code", ""))
            )
    return failures[:_MOST_RECIPIENTS]


def _complaint(report: Message, parts: list[Message], original: str) -> Bounce:
    fields = _text_of(report)

    def field(name: str) -> str:
        found = re.search(rf"(?im)^{name}:[ \t]*(.+)$", fields)
        return found[1].strip() if found else ""

    returned = next((part for part in parts if part.get_content_type() == "message/rfc822"), None)
    sent_to = str(returned.get_payload(0).get("To", "")) if returned and returned.is_multipart() else ""
    recipient = _ADDRESS.search(field("Original-Rcpt-To") or field("Removal-Recipient") or sent_to)
    return complaint_of(field("Feedback-Type"), recipient[0] if recipient else "", original)


def _original_message_id(mail: Message, parts: list[Message]) -> str:
    """The Message-ID of the mail that came back, never the one of the report itself."""
    for part in parts[1:]:
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            if found := part.get_payload(0).get("Message-ID"):
                return str(found).strip()
        elif kind in ("text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers") and (
            found := _MESSAGE_ID.search(_text_of(part))
        ):
            return found[1]
    for part in parts:
        if _is_text(part) and (found := _MESSAGE_ID.search(_text_of(part))):
            return found[1]
    return ""


def _is_auto_reply(mail: Message) -> bool:
    submitted = str(mail.get("Auto-Submitted", "no")).lower()
    sender = f"{mail.get('From', '')}"
    if _FROM_A_MAILER.search(sender):
        return False
    return (
        submitted.startswith("auto-replied")
        or bool(_AUTO_REPLY_SUBJECT.search(str(mail.get("Subject", ""))))
        or str(mail.get("X-Autoreply", "")) != ""
        or str(mail.get("Precedence", "")).lower() == "auto_reply"
    )


def _provider_notification(parts: list[Message]) -> list[Bounce]:
    """A bounce as Amazon SES sends it through SNS: JSON inside JSON."""
    text = next((_text_of(part) for part in parts if part.get_content_type() == "text/plain"), "").strip()
    if not text.startswith("{"):
        return []
    try:
        inner = json.loads(json.loads(_unwrapped(text))["Message"])
        bounce = inner["bounce"]
        about = inner.get("mail") or {}
        original = str((about.get("commonHeaders") or {}).get("messageId") or about.get("messageId", ""))
        return [
            bounce_of(
                Failure(
                    str(one["emailAddress"]),
                    str(one.get("action", "failed")),
                    str(one.get("status", "")),
                    str(one.get("diagnosticCode", "")),
                ),
                original,
            )
            for one in bounce["bouncedRecipients"][:_MOST_RECIPIENTS]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _unwrapped(text: str) -> str:
    """JSON whose strings a mail server has broken into lines of less than 1,000 characters."""
    return re.sub(r"\n[ \t]?(?!\s*[\"}])", "", text)


def _from_prose(mail: Message, parts: list[Message], original: str) -> list[Bounce]:
    sender = f"{mail.get('From', '')} {mail.get('Return-Path', '')}"
    subject = str(mail.get("Subject", ""))
    said = next((_text_of(part) for part in parts if _is_text(part)), "")
    said = _COPY_BEGINS.split(said[:_LONGEST_TEXT], maxsplit=1)[0]
    by_a_mailer = bool(_FROM_A_MAILER.search(sender)) or "X-Failed-Recipients" in mail
    if not by_a_mailer or not _REPORTS_FAILURE.search(f"{subject} {said[:2000]} {sender}"):
        return [Bounce(Effect.NONE, "not-a-bounce")]
    named = str(mail.get("X-Failed-Recipients", "")) or said
    own = set(_ADDRESS.findall(str(mail.get("To", ""))))
    recipients = [found for found in dict.fromkeys(_ADDRESS.findall(named)) if found not in own]
    action = "delayed" if _STILL_TRYING.search(f"{subject} {said}") else "failed"
    if not recipients and not original:
        return [Bounce(Effect.NONE, "unclassified")]
    recipient = recipients[0] if recipients else ""
    return [bounce_of(Failure(recipient, action, None, " ".join(said.split())), original)]
