"""Writes what is generated from the contract; ``--check`` fails if a file is not what it would write.

``python -m kommunepuls_events.generate ROOT`` writes frozen schemas and examples, ``docs/asyncapi.yaml``,
``docs/topics.md`` and ``deploy/kafka/{topics,acls}.json`` below the repository's root.
A schema that would break readers or writers is refused, not written.
"""

import argparse
import json
import sys
from pathlib import Path

from kommunepuls_events.asyncapi import asyncapi_document, topics_page
from kommunepuls_events.compatibility import breaking_changes
from kommunepuls_events.event import CONTRACTS
from kommunepuls_events.examples import examples
from kommunepuls_events.provisioning import acl_rows, topic_rows


def schema_of(name: str) -> dict:
    """The JSON Schema (2020-12) of a message as it is written on the wire."""
    schema = CONTRACTS[name].model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{name}", **schema}


def generated() -> dict[str, str]:
    """Every generated file: path below the root to its text."""
    files = {}
    for name, example in examples().items():
        files[f"libs/events/schemas/{name}.json"] = _json(schema_of(name))
        files[f"libs/events/examples/{name}.json"] = _json(json.loads(example.to_json()))
    files["docs/asyncapi.yaml"] = _json(asyncapi_document({name: schema_of(name) for name in CONTRACTS}))
    files["docs/topics.md"] = topics_page()
    files["deploy/kafka/topics.json"] = _json(topic_rows())
    files["deploy/kafka/acls.json"] = _json(acl_rows())
    return files


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def broken_contracts(root: Path) -> list[str]:
    """What the present classes break of the schemas frozen below the root, a sentence each."""
    found = []
    for name in CONTRACTS:
        frozen = root / "libs/events/schemas" / f"{name}.json"
        if frozen.exists():
            found += [
                f"{name}: {change}"
                for change in breaking_changes(json.loads(frozen.read_text()), schema_of(name))
            ]
    return found


def main() -> int:
    """Entry point; 0 when all is written or up to date."""
    parser = argparse.ArgumentParser(description="Generate schemas, examples, AsyncAPI, topics and ACLs.")
    parser.add_argument("root", type=Path, help="the repository's root")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    arguments = parser.parse_args()
    if broken := broken_contracts(arguments.root):
        print("A published contract would break; make a new version beside it instead:", *broken, sep="\n  ")
        return 1
    stale = []
    for path, text in generated().items():
        target = arguments.root / path
        if target.exists() and target.read_text() == text:
            continue
        stale.append(path)
        if not arguments.check:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    if stale and arguments.check:
        print("Not what the contract says (run `make generate`):", *stale, sep="\n  ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
