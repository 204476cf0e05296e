"""The content rules that are shipped with the service."""

from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from ingest_facebook.domain.rules import Rule

_RULES = TypeAdapter(tuple[Rule, ...])


def shipped_rules() -> tuple[Rule, ...]:
    """The rules of ``data/content_rules.yaml``, in order."""
    text = files("ingest_facebook").joinpath("data/content_rules.yaml").read_text(encoding="utf-8")
    return _RULES.validate_python(yaml.safe_load(text))
