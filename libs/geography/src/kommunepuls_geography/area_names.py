"""Names that hold several languages at once, as Norwegian municipalities with Sami or Kven names do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class SpelledName:
    """The name everybody uses, the names by language, and spellings whose language is unknown."""

    name: str
    names: Mapping[str, str]
    aliases: tuple[str, ...]


@cache
def _registered() -> Mapping[str, Mapping[str, str]]:
    text = files(__package__).joinpath("data/municipality_names.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["names"]


def split_name(
    text: str, code: str | None = None, separator: str = " - ", languages: tuple[str, ...] = ()
) -> SpelledName:
    """Take a name such as "Gáivuotna - Kåfjord - Kaivuono" apart.

    The languages are those given, in order, or those registered for the municipality `code`
    (NO-5540); the Norwegian or else the first part is the name everybody uses. Parts whose language is
    unknown become aliases.
    """
    parts = [part.strip() for part in text.split(separator) if part.strip()] if separator else [text]
    if len(parts) < 2:
        return SpelledName(text, {}, ())
    if languages:
        names = dict(zip(languages, parts, strict=False))
    else:
        known = {name: language for language, name in _registered().get(code or "", {}).items()}
        names = {known[part]: part for part in parts if part in known}
    name = names.get("nb") or names.get("nn") or parts[0]
    aliases = tuple(part for part in parts if part != name and part not in names.values())
    return SpelledName(name, names, aliases)
