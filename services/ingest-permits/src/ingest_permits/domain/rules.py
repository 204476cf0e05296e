"""The word lists and patterns of this package, read once and compiled."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


def pattern(text: str) -> re.Pattern[str]:
    """A pattern without regard to case; the line breaks that folding leaves in YAML are not part of it."""
    return re.compile(re.sub(r"\|\s+", "|", text.strip()), re.IGNORECASE)


@cache
def data(name: str) -> dict:
    """A YAML file of this package."""
    text = files("ingest_permits").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@cache
def words(name: str, key: str) -> frozenset[str]:
    """A list of words, small letters, from ``data/<name>.yaml``; parted by blanks or ``|``."""
    return frozenset(word for word in re.split(r"[\s|]+", data(name)[key].lower()) if word)


@cache
def named_pattern(name: str, key: str) -> re.Pattern[str]:
    """A pattern from ``data/<name>.yaml``."""
    return pattern(data(name)[key])


@dataclass(frozen=True, slots=True)
class StageRule:
    """One rule of ``data/stages.yaml``; ``stage`` None says that the document is no news."""

    stage: str | None
    type: re.Pattern[str] | None
    lead: re.Pattern[str] | None
    title: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def fits(self, type_of_document: str, lead: str, title: str) -> bool:
        """Whether all patterns that the rule has are found, and ``unless`` is not."""
        looked_at = ((self.type, type_of_document), (self.lead, lead), (self.title, title))
        if any(wanted is not None and not wanted.search(text) for wanted, text in looked_at):
            return False
        return self.unless is None or not self.unless.search(title)


@cache
def stage_rules() -> tuple[StageRule, ...]:
    """The rules in their order."""
    return tuple(
        StageRule(
            stage=row.get("stage"),
            **{
                name: pattern(row[name]) if name in row else None
                for name in ("type", "lead", "title", "unless")
            },
        )
        for row in data("stages")["rules"]
    )
