"""The parts of a document's title: property numbers, plan number, and the segments between dashes."""

import re
from dataclasses import dataclass

from kommunepuls_geography import parse_address
from kommunepuls_geography.property_numbers import PropertyNumber, parse_property_numbers

_DASH = re.compile(r"\s+[-–—]\s*|\s*[-–—]\s+")
_PLAN = re.compile(r"^\s*plan[- ]?(?:id|nr)?\.?:?\s*(?:nr\.?\s*)?[\d_][\w./-]*\s*[-–:,]?\s*", re.IGNORECASE)
_ONLY_PROPERTY = re.compile(
    r"(?:(?:gårdsnr|gårdsnummer|gnr|bruksnr|bruksnummer|bnr|fnr|snr|gbnr)\.?|[\d/,&]|og|\s)+(?:mfl\.?|m\.?\s?fl\.?)?",
    re.IGNORECASE,
)
_LEFT_OVER = re.compile(r"^[\s,.;:og&+–-]*(?:m\.?\s?fl\.?|mfl\.?)?[\s,.;:–-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Title:
    """A title taken apart; ``text`` is the title without property numbers in front."""

    text: str
    lead: str
    segments: tuple[str, ...]
    properties: tuple[PropertyNumber, ...]
    plan: bool

    @property
    def property_names(self) -> tuple[str, ...]:
        """The properties as they are written: 58/62, 25/60/4; each once."""
        return tuple(dict.fromkeys(str(number) for number in self.properties))


def take_apart(title: str) -> Title:
    """Split a title such as "58/19 58/47 Ferdigattest - bolig - Ådnanes 67".

    Archives in Norway put the property (gårdsnummer/bruksnummer) or the plan's id in front, or the
    property as a part of its own ("Storgata 1 - 58/62 - garasje").
    """
    whole = " ".join(title.split())
    properties = tuple(parse_property_numbers(whole, journal_title=True))
    text = whole
    front = 0
    for number in properties:
        if number.start > front + 6:
            break
        front = max(front, number.end)
    if properties and properties[0].start == 0:
        rest = whole[front:]
        text = _LEFT_OVER.sub("", rest, count=1).strip() if not rest[:1].isalnum() else rest
    planned = _PLAN.match(text)
    lead_text = text[planned.end() :] if planned else text
    segments = tuple(part.strip() for part in _DASH.split(text) if part and part.strip())
    leads = [part.strip() for part in _DASH.split(lead_text) if part and part.strip()]
    # "Storgata 1 - 58/62 - Søknad om garasje": what comes behind address and property says what it is about.
    behind = [part for part in leads if not _only_where(part)]
    return Title(
        text=text or whole,
        lead=behind[0] if behind else text,
        segments=segments,
        properties=properties,
        plan=planned is not None,
    )


def _only_where(part: str) -> bool:
    """Whether a part names a property or an address and nothing else."""
    if _ONLY_PROPERTY.fullmatch(part):
        return True
    address = parse_address(part)
    return address is not None and (address.start, address.end) == (0, len(part))
