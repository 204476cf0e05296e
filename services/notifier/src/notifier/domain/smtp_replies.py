"""What an SMTP reply says about an address, a message or us.

Sources: RFC 5321 section 4.2 (codes), RFC 3463 (enhanced status codes) and the IANA registry of both.
Enhanced codes decide where there is one; free text only where a server says no more than 550 or 5.0.0.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What to do about it."""

    NO_SUCH_ADDRESS = "no-such-address"
    """The address does not work and will not: never write to it again."""
    MAILBOX_FULL = "mailbox-full"
    """The mailbox takes nothing now; it may again."""
    REFUSED = "refused"
    """This message or our server is refused; the address itself is as good as before."""
    OUR_FAULT = "our-fault"
    """We are not let in (authentication, TLS, protocol): nothing gets through until an operator mends it."""
    SLOW_DOWN = "slow-down"
    """Greylisting or a limit of rate: later, and less at a time."""
    LATER = "later"
    """It may work later."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply's three digits (0: none known), its enhanced code such as `5.1.1`, and its text."""

    code: int
    status: str | None
    text: str


_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([245]\d\d)(?=[\s\-])")

_NO_SUCH_ADDRESS = {
    "1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "1.351",
    "2.1", "4.4", "4.310",
}  # fmt: skip
_MAILBOX_FULL = {"2.2", "3.1"}
_OUR_FAULT = {"7.8", "7.9", "7.10", "7.11", "7.13", "5.1", "5.2", "5.4"}
_SLOW_DOWN = {"7.0", "7.1", "7.28", "4.5", "3.2", "2.0"}

_ANY = re.IGNORECASE
_SAYS_NO_SUCH_ADDRESS = re.compile(
    r"user\s+(?:is\s+)?unknown|unknown\s+(?:user|recipient|address|account|local)|no\s+such\s+(?:user|mailbox|address|"
    r"recipient|person|domain)|(?:user|mailbox|account|address|recipient|domain)\b.{0,60}?\b(?:does\s*n[o']t\s+"
    r"exist|not\s+(?:exist|found|listed|known|a\s+registered))|not\s+a\s+(?:valid|registered)\s+(?:mailbox|user|gateway\s+"
    r"user)|mailbox\s+(?:unavailable|not\s+found|disabled|is\s+inactive)|(?:invalid|bad|illegal)\s+(?:recipient|mailbox|"
    r"destination)|account\s+(?:has\s+been\s+|is\s+)?(?:disabled|closed|deactivated|suspended)|unknown\s+host|"
    r"host\s+(?:unknown|or\s+domain\s+name\s+not\s+found)|couldn't\s+find\s+any\s+host|recipnotfound|"
    r"address\s+(?:couldn't|could\s+not)\s+be\s+found|email\s+address\s+you\s+entered\s+couldn't\s+be\s+found|"
    r"is\s+not\s+a\s+valid\s+user|no\s+mailbox\s+here",
    _ANY,
)
_SAYS_FULL = re.compile(
    r"mailbox\s+(?:is\s+)?(?:full|exceeds)|over\s*quota|quota\s+(?:is\s+)?exceeded|"
    r"(?:exceeds|exceeded|out\s+of|over)\b[^.\n]{0,30}\b(?:quota|storage)|storage\s+(?:allocation|limit)|"
    r"not\s+enough\s+(?:disk\s+)?space|insufficient\s+(?:system\s+)?storage",
    _ANY,
)
_SAYS_REFUSED = re.compile(
    r"spam|block(?:ed|list)|black\s*list|reputation|polic(?:y|ies)|dmarc|\bspf\b|dkim|\bptr\b|reverse\s+dns|"
    r"(?:relay(?:ing)?|access)\s+(?:access\s+)?denied|too\s+large|message\s+size|sender\s+address|content\s+reject|banned|virus",
    _ANY,
)
_SAYS_SLOW_DOWN = re.compile(
    r"gr[ea]y-?list|too\s+many|rate\s*limit|throttl|slow\s*down|try\s+again\s+later|temporarily\s+deferred",
    _ANY,
)


def read_reply(text: str, *, code: int = 0, status: str | None = None) -> Reply:
    """A reply from its text, with code and enhanced code picked out where they are not given."""
    found = _STATUS.search(status or "")
    inside = _STATUS.search(text)
    # 5.0.0 says nothing: servers write it in front of the code that does.
    if inside and (found is None or (found[2], found[3]) == ("0", "0")):
        found = inside
    if not code and (digits := _CODE.search(text)):
        code = int(digits[1])
    return Reply(code, found[0] if found else None, text)


def verdict_on(reply: Reply) -> Verdict:
    """What a failed delivery means."""
    detail = reply.status.partition(".")[2] if reply.status else ""
    lasting = reply.status[0] == "5" if reply.status else reply.code // 100 == 5
    if detail in _MAILBOX_FULL or _SAYS_FULL.search(reply.text):
        return Verdict.MAILBOX_FULL
    if reply.code in (530, 534, 535, 538) or (
        lasting and detail in _OUR_FAULT and reply.code in (0, 502, 503)
    ):
        return Verdict.OUR_FAULT
    if not reply.status and not reply.code:
        return Verdict.NO_SUCH_ADDRESS if _SAYS_NO_SUCH_ADDRESS.search(reply.text) else Verdict.LATER
    if not lasting:
        slow = detail in _SLOW_DOWN or reply.code == 421 or _SAYS_SLOW_DOWN.search(reply.text)
        return Verdict.SLOW_DOWN if slow else Verdict.LATER
    if detail in ("", "0.0", "5.0", "4.0", "4.1", "3.0", "7.0", "7.1"):
        return _by_text(reply)
    if detail in ("1.0", "1.2") and _SAYS_REFUSED.search(reply.text):
        return Verdict.REFUSED
    return Verdict.NO_SUCH_ADDRESS if detail in _NO_SUCH_ADDRESS else Verdict.REFUSED


def _by_text(reply: Reply) -> Verdict:
    if _SAYS_NO_SUCH_ADDRESS.search(reply.text):
        return Verdict.NO_SUCH_ADDRESS
    if _SAYS_SLOW_DOWN.search(reply.text) and not _SAYS_REFUSED.search(reply.text):
        return Verdict.SLOW_DOWN
    return Verdict.REFUSED
