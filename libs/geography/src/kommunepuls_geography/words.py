"""How Norwegian and Swedish names are spelled and bent, as far as finding them in texts needs it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml

# Nobody's word is longer; what is, is noise and not worth folding.
LONGEST_WORD = 60

_COMMON_STREETS = frozenset({"gate", "vei"})


def fold(word: str) -> str:
    """The word as it is compared: small letters, aa as å, Swedish ä and ö as æ and ø, no other accents.

    å, æ and ø stay apart from a, ae and o: Bø is not Bo.
    """
    if word.isascii():
        small = word.lower()
        return small.replace("aa", "å") if "aa" in small else small
    small = unicodedata.normalize("NFC", word).casefold()
    small = small.replace("aa", "å").replace("ö", "ø").replace("ä", "æ")
    if all(letter.isascii() or letter in "åæø" for letter in small):
        return small
    return "".join(letter if letter in "åæø" else _bare(letter) for letter in small)


def _bare(letter: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))


@cache
def _language_data() -> Mapping[str, Mapping[str, list[str]]]:
    text = files(__package__).joinpath("data/words.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@cache
def word_set(section: str, key: str | None = None) -> frozenset[str]:
    """A folded set of words of `data/words.yaml`: one key of a section, or all of the section together."""
    lists: Mapping[str, Iterable[str]] = _language_data()[section]
    chosen = [lists.get(key, ())] if key is not None else lists.values()
    return frozenset(fold(word) for words in chosen for word in words)


@cache
def _endings(section: str) -> tuple[tuple[str, str], ...]:
    """(form, head) of a section of nouns, longest form first."""
    pairs = {
        fold(form): fold(head) for head, forms in _language_data()[section].items() for form in (head, *forms)
    }
    return tuple(sorted(pairs.items(), key=lambda pair: -len(pair[0])))


@cache
def _endings_by_tail(section: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The same, by the last two letters, so that a word is held against few of them."""
    table: dict[str, list[tuple[str, str]]] = {}
    for form, head in _endings(section):
        table.setdefault(form[-2:], []).append((form, head))
    return {tail: tuple(pairs) for tail, pairs in table.items()}


def _split_head(folded: str, section: str) -> tuple[str, str] | None:
    for form, head in _endings_by_tail(section).get(folded[-2:], ()):
        if folded.endswith(form):
            return folded[: -len(form)], head
    return None


def is_street_word(folded: str) -> bool:
    """Whether the word alone means a street: gate, vei, plass…"""
    split = _split_head(folded, "streets")
    return split is not None and not split[0]


def is_street_name(folded: str, *, common: bool = False) -> bool:
    """Whether the word ends as street names do: Storgata, Kirkeveien, Kungsvägen.

    With `common` only for the endings that hardly any other noun has: gate and vei, not plass or tun.
    """
    split = _split_head(folded, "streets")
    return split is not None and len(split[0]) >= 2 and (not common or split[1] in _COMMON_STREETS)


def base_form(folded: str, *, alone: bool) -> str | None:
    """A word with its head noun in one form: storgata, storgaten and storgatan all give "stor gate".

    None when its ending is no known head noun. `alone` says that the word is a whole name: then a bare
    noun stays as it is, since Strand and Stranda are two places.
    """
    for section in ("streets", "nouns"):
        split = _split_head(folded, section)
        if split is None:
            continue
        stem, head = split
        if len(stem) >= 2:
            return f"{stem} {head}"
        if not stem and not alone:
            return f" {head}"
    return None


def street_key(name: str) -> str:
    """A street name as registers compare it: Kirkegaten, Kirkegata and KIRKEGT. are one street."""
    words = [fold(word) for word in name.replace(".", " ").replace("-", " ").split()]
    if not words:
        return ""
    return " ".join((*words[:-1], base_form(words[-1], alone=len(words) == 1) or words[-1])).replace(
        "  ", " "
    )
