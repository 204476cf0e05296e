"""Taking the names of private persons out of titles.

A journal's title often ends with the applicant ("Ferdigattest - garasje - Storgata 1 - Ola Nordmann"). A
firm or an authority may be named, a person may not. Where it is not clear, the words go: a lost firm's name
harms nobody.
"""

import re
from functools import cache

from kommunepuls_geography.words import base_form, fold, is_street_name, is_street_word

from ingest_permits.domain.rules import data, named_pattern, words

MASK = "[privatperson]"

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?")
_BREAK = re.compile(r"\s+[-–—]\s*|\s*[-–—]\s+|[,;:()/]|\s+(?=v/|c/o)", re.IGNORECASE)
_JOIN = re.compile(r"\s+(?:og|och|and|&|\+)\s+", re.IGNORECASE)
# Bounded and begun at a word's start, so that a text without blanks is read in linear time.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}")
_NATIONAL_ID = re.compile(r"(?<!\d)(?:\d{6}[ -]?\d{5}|(?:19|20)?\d{6}[-+]\d{4})(?!\d)")
_BESIDE = re.compile(rf"(?<!\w)([A-ZÆØÅÄÖ][\w'’-]{{1,40}})\s+(?:og|och|and|&|OG|OCH|AND)\s+{re.escape(MASK)}")
_HOUSE_AT_END = re.compile(r"[^\W\d_]\.?\s+(?!(?:19|20)\d\d\b)\d{1,4}\s?[A-Za-z]?\s*$")
_NUMBER_BEHIND = re.compile(r"\s+\d")
_NUMBER_BEFORE = re.compile(r"\d[A-Za-z]?\s+$")
_ROADS = re.compile(r"(?:ve[gi]|ve[gi]en|gat[aenr]{1,2}|gate|väg|vägen)\.?$", re.IGNORECASE)
_MASKS = re.compile(rf"{re.escape(MASK)}(?:\s*(?:,|og|och|and|&)?\s*{re.escape(MASK)})+")
_INITIAL = re.compile(r"[A-ZÆØÅÄÖ]\.?")
_BETWEEN = frozenset({"von", "van", "de", "den", "der", "af", "al", "el"})
_MOST_WORDS = 5


def without_names(text: str, *, language: str = "nb", journal: bool = True) -> str:
    """The text with names of private persons, e-mail addresses and national ids as ``[privatperson]``.

    Args:
        text: a title.
        language: of it; in English "per" and "even" are no names.
        journal: it may end with the applicant, so that a last part that only looks like a name goes too;
            else only what holds a known given name.
    """
    text = without_contacts(text)
    reader = _Reader(_given_names(language), shouted=text.upper() == text, journal=journal)
    parts = _parts(text)
    last = len(parts) - 1 if journal and len(parts) > 1 else -1
    for number in range(0, len(parts), 2):
        addressed = journal and number > 0 and _HOUSE_AT_END.search(parts[number - 2]) is not None
        parts[number] = reader.masked(parts[number], last=number == last, behind_address=addressed)
    return _MASKS.sub(MASK, reader.masked_beside(reader.masked_after_roles("".join(parts))))


def without_contacts(text: str) -> str:
    """The text with e-mail addresses and national ids as ``[privatperson]``; names stay (an address)."""
    return _NATIONAL_ID.sub(MASK, _EMAIL.sub(MASK, text))


def for_readers(text: str) -> str:
    """The text without parts that are nothing but a mask, and without its trailing separators."""
    parts = [part.strip() for part in re.split(r"\s+[-–—]\s+", text)]
    kept = [part for part in parts if part and part != MASK]
    return " - ".join(kept) if kept else text


def _given_names(language: str) -> frozenset[str]:
    if language.startswith("en"):
        return words("names", "given_english")
    return words("names", "given") | words("names", "given_english")


def _parts(text: str) -> list[str]:
    """Parts and, at odd positions, what stands between them."""
    parts: list[str] = []
    at = 0
    for found in _BREAK.finditer(text):
        parts += [text[at : found.start()], found.group()]
        at = found.end()
    return [*parts, text[at:]]


class _Reader:
    """Reads one text: which given names count, whether capital letters say anything, whose title it is."""

    def __init__(self, given: frozenset[str], *, shouted: bool, journal: bool) -> None:
        self._known_given = given
        self._shouted = shouted
        self._journal = journal

    def masked(self, part: str, *, last: bool, behind_address: bool) -> str:
        """A part between two separators with the names in it masked.

        Behind an address the applicant stands, and a surname may be a place's name as well.
        """
        if MASK in part or not part.strip() or _is_organisation(part):
            return part
        if self._is_all_names(_JOIN.split(part.strip()), last=last, behind_address=behind_address):
            start = len(part) - len(part.lstrip())
            return part[:start] + MASK + part[len(part.rstrip()) :]
        return self._masked_inside(part)

    def masked_after_roles(self, text: str) -> str:
        """Mask what looks like a name behind "tiltakshaver", "v/" and the like."""

        def masked(found: re.Match[str]) -> str:
            name = found[3].split()
            if self._shouted and not self._given(name[0], doubtful=False):
                return found[0]
            if _is_organisation(text[found.start(3) : found.end(3) + 8]) or self._is_street(name[1:]):
                return found[0]
            return f"{found[1]}{found[2]}{MASK}"

        return _after_roles().sub(masked, text)

    def masked_beside(self, text: str) -> str:
        """Mask the given name alone in "Kari og Ola Nordmann" when the other was found."""

        def masked(found: re.Match[str]) -> str:
            return MASK if self._given(found[1], doubtful=True) else found[0]

        return _BESIDE.sub(masked, text)

    def _is_all_names(self, people: list[str], *, last: bool, behind_address: bool) -> bool:
        """Whether the part is one name or several; "Kari og Ola Nordmann" has the family name once."""
        found = [_WORD.findall(person) for person in people]
        fewest = 2 if len(people) == 1 else 1
        shaped = all(
            fewest <= len(name) <= _MOST_WORDS
            and "".join(name) == "".join(person.split())
            and all(word[0].isupper() or word in _BETWEEN for word in name)
            for person, name in zip(people, found, strict=True)
        )
        if not shaped or all(len(name) == 1 for name in found):
            return False
        return all(self._is_a_name(name, last=last, behind_address=behind_address) for name in found)

    def _is_a_name(self, found: list[str], *, last: bool, behind_address: bool) -> bool:
        if {word.lower() for word in found[1:]} & words("names", "streets"):
            return False
        if self._given(found[0], doubtful=False):
            return not (self._shouted and self._is_street(found[1:]) and not behind_address)
        if not self._journal:
            return False
        if len(found) > 2 and any(_INITIAL.fullmatch(word) for word in found[1:-1]):
            return True
        if behind_address and not self._shouted:
            return not _known_words(found[:1])
        if _known_words(found) or _is_place(found):
            return False
        if self._given(found[0], doubtful=True) or any(
            self._given(word, doubtful=False) for word in found[1:]
        ):
            return True
        return last and not any(word.isupper() and not self._shouted for word in found)

    def _masked_inside(self, part: str) -> str:
        """Mask given names and the capitalised words behind them within a longer part."""
        found = list(_WORD.finditer(part))
        pieces: list[str] = []
        number = at = 0
        while number < len(found) - 1:
            first = found[number]
            if not first.group()[0].isupper() or not self._given(first.group(), doubtful=False):
                number += 1
                continue
            end = number + 1
            while end < len(found) and end - number < _MOST_WORDS - 1 and self._goes_on(part, found, end):
                end += 1
            name = [word.group() for word in found[number : end + 1]]
            numbered = _numbered(part, first.start(), found[end - 1].end())
            if end - number >= 2 and not numbered and not self._is_street(name[1:]):
                pieces += [part[at : first.start()], MASK]
                at = found[end - 1].end()
            number = end
        return "".join([*pieces, part[at:]])

    def _goes_on(self, part: str, found: list[re.Match[str]], end: int) -> bool:
        word, gap = found[end].group(), part[found[end - 1].end() : found[end].start()]
        if gap.strip() or not word[0].isupper() or word.lower() in ("og", "och", "and"):
            return False
        return not (self._shouted and _known_words([word]))

    def _is_street(self, behind: list[str]) -> bool:
        """Whether a word behind the first means a street: "Hans Øverlands vei", "Jane Street".

        Norwegian writes it small, so that in a title that is not all capitals "Bakken" is a surname.
        """
        return any(
            word.rstrip(".").lower() in words("names", "streets")
            or ((self._shouted or word.islower()) and is_street_word(fold(word.rstrip("."))))
            or _ROADS.search(word) is not None
            for word in behind
        )

    def _given(self, word: str, *, doubtful: bool) -> bool:
        small = word.rstrip(".").lower()
        known = small in self._known_given or ("-" in small and small.split("-")[0] in self._known_given)
        return known and (doubtful or small not in words("names", "doubtful"))


@cache
def _after_roles() -> re.Pattern[str]:
    roles = re.sub(r"\|\s+", "|", data("names")["roles"].strip())
    name = r"(?:[A-ZÆØÅÄÖ][\w'’-]{1,40}\.?\s+){1,3}[A-ZÆØÅÄÖ][\w'’-]{1,40}"
    return re.compile(rf"(?<!\w)((?i:{roles}))((?<=/)\s*|[\s.:]+)({name})")


def _is_organisation(part: str) -> bool:
    return any(word.lower().rstrip(".") in words("names", "organisations") for word in _WORD.findall(part))


def _known_words(found: list[str]) -> bool:
    """Whether one of the words belongs to building matters, places, organisations or plain speech."""
    known = words("names", "ordinary") | words("names", "organisations")
    patterns = (
        named_pattern("relevance", "building"),
        named_pattern("relevance", "planning"),
        named_pattern("names", "ordinary_stems"),
    )
    return any(
        word.lower().rstrip(".") in known or any(one.search(word) for one in patterns) for word in found
    )


def _is_place(found: list[str]) -> bool:
    """Whether a word ends as names of places and streets do: Nordre Myrane, Øvre Barkvedvegen."""
    folded = [fold(word.rstrip(".")) for word in found]
    return any(base_form(word, alone=False) is not None or is_street_name(word) for word in folded)


def _numbered(part: str, start: int, end: int) -> bool:
    """Whether a house number stands before or behind: then it is an address."""
    behind = _NUMBER_BEHIND.match(part, end)
    return behind is not None or _NUMBER_BEFORE.search(part[max(0, start - 8) : start]) is not None
