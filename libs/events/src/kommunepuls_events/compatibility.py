"""Whether a new JSON Schema breaks those who still read or write by the old one."""

from typing import Any

Schema = dict[str, Any]


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What the new schema of a message breaks, a sentence each; empty if nothing.

    Both directions count, since producers and consumers are updated at different times:

    * a new reader must take old messages: nothing newly required, no type, word or limit narrowed;
    * an old reader must take new messages: nothing it requires taken away, no type widened.

    Adding an optional property is compatible: readers ignore what they do not know.
    """
    found: list[str] = []
    _compare(old, new, old, new, "message", found, set())
    return found


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """The choices of a schema, nested ones too, references followed."""
    schema = _resolve(schema, root)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices:
        return [schema]
    return [one for choice in choices for one in _alternatives(choice, root)]


def _kinds(schema: Schema, root: Schema) -> set[str]:
    return {_kind(choice) for choice in _alternatives(schema, root)}


def _kind(schema: Schema) -> str:
    discriminator = schema.get("properties", {}).get("type", {}).get("const")
    return f"{schema.get('type', 'any')}{f' {discriminator}' if discriminator else ''}"


_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def _compare(
    old: Schema,
    new: Schema,
    old_root: Schema,
    new_root: Schema,
    path: str,
    found: list[str],
    seen: set[tuple[str, str]],
) -> None:
    if "$ref" in old and "$ref" in new:
        pair = (old["$ref"], new["$ref"])
        if pair in seen:
            return
        seen.add(pair)
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    before, after = _kinds(old, old_root), _kinds(new, new_root)
    if before != after:
        found.append(f"{path}: type was {' or '.join(sorted(before))}, is {' or '.join(sorted(after))}")
        return
    for old_choice in _alternatives(old, old_root):
        for new_choice in _alternatives(new, new_root):
            if _kind(old_choice) == _kind(new_choice):
                _compare_one(old_choice, new_choice, old_root, new_root, path, found, seen)


def _compare_one(
    old: Schema,
    new: Schema,
    old_root: Schema,
    new_root: Schema,
    path: str,
    found: list[str],
    seen: set[tuple[str, str]],
) -> None:
    words = set(old.get("enum", ())), set(new.get("enum", ()))
    if gone := words[0] - words[1]:
        found.append(f"{path}: no longer takes {', '.join(sorted(map(str, gone)))}")
    if old.get("const") != new.get("const"):
        found.append(f"{path}: was always {old.get('const')}, is {new.get('const')}")
    for limits, narrower in ((_LOWER, lambda a, b: b > a), (_UPPER, lambda a, b: b < a)):
        for limit in limits:
            if limit in new and (limit not in old or narrower(old[limit], new[limit])):
                found.append(f"{path}: {limit} was {old.get(limit, 'not set')}, is {new[limit]}")
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        found.append(f"{path}: pattern was {old.get('pattern', 'not set')}, is {new['pattern']}")
    if "format" in new and new["format"] != old.get("format"):
        found.append(f"{path}: format was {old.get('format', 'not set')}, is {new['format']}")
    _compare_properties(old, new, old_root, new_root, path, found, seen)
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            _compare(old[part], new[part], old_root, new_root, f"{path}[]", found, seen)


def _compare_properties(
    old: Schema,
    new: Schema,
    old_root: Schema,
    new_root: Schema,
    path: str,
    found: list[str],
    seen: set[tuple[str, str]],
) -> None:
    before, after = old.get("properties", {}), new.get("properties", {})
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        found.append(f"{path}.{name}: was taken away")
    for name in sorted(required_after - required_before):
        found.append(f"{path}.{name}: is now required")
    for name in sorted((required_before - required_after) & after.keys()):
        found.append(f"{path}.{name}: was required, may now be missing")
    for name in sorted(before.keys() & after.keys()):
        _compare(before[name], after[name], old_root, new_root, f"{path}.{name}", found, seen)
