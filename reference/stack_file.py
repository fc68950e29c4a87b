"""The reference page of a stack file's fields, made from the schema and so from the types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from components.settings import PROJECT, StackConfig

from .schema import schema

_HEAD = f"""# The stack file

Made from `components/settings` by `make docs`: do not edit. A stack file is `Pulumi.<stack>.yaml`; its keys stand under
`config:`, those of the project as `{PROJECT}:<key>`. `schemas/stack.schema.json` says the same to editors: a first
line `# yaml-language-server: $schema=schemas/stack.schema.json` gives completion and underlines mistakes.

What only shows between values (overlapping ranges, a type that the region does not sell, a surge beyond a reservation)
is refused with its reason before anything is created.
"""
_LONGEST_LIST = 12
_ANY_NAME = "<name>"


def render() -> str:
    """The page."""
    made = schema()
    config = made["properties"]["config"]["properties"]
    fields = {key: value for key, value in config.items() if ":" in key}
    required = {f"{PROJECT}:{name}" for name, field in StackConfig.model_fields.items() if field.is_required()}
    required |= set(made["properties"]["config"]["required"])
    parts = [_HEAD, "## Top-level keys\n", _table(fields, required, made["definitions"])]
    for key, value in fields.items():
        parts += _sections(key.partition(":")[2], value, made["definitions"])
    return "\n".join(parts).rstrip() + "\n"


def _sections(path: str, value: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """The section that is at ``path``, and those in it."""
    name, path = _section_of(path, value)
    if name is None:
        return
    section = definitions[name]
    yield f"## {path}\n"
    yield section["description"].replace("\n\n", "\n") + "\n"
    yield _table(section["properties"], set(section.get("required", ())), definitions)
    for key, inner in section["properties"].items():
        yield from _sections(f"{path}.{key}", inner, definitions)


def _section_of(path: str, value: dict[str, Any]) -> tuple[str | None, str]:
    """The definition that the value is or holds, and its place."""
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2], path
    for inner in (*value.get("patternProperties", {}).values(), value.get("additionalProperties")):
        if isinstance(inner, dict) and "$ref" in inner:
            return inner["$ref"].rpartition("/")[2], f"{path}.{_ANY_NAME}"
    if "$ref" in value.get("items", {}):
        return value["items"]["$ref"].rpartition("/")[2], f"{path}[]"
    for inner in value.get("anyOf", ()):
        name, place = _section_of(path, inner)
        if name:
            return name, place
    return None, path


def _table(fields: dict[str, Any], required: set[str], definitions: dict[str, Any]) -> str:
    lines = ["| key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for key, value in fields.items():
        default = "required" if key in required else _default(value)
        name, _ = _section_of("", value)
        said = value.get("description") or (definitions[name]["description"] if name else "")
        lines.append(f"| `{key}` | {_kind(value)} | {default} | {said.splitlines()[0]} |")
    return "\n".join(lines) + "\n"


def _default(value: dict[str, Any]) -> str:
    found = value.get("default")
    if "$ref" in value:
        return "its defaults"
    return "absent" if found is None else f"`{json.dumps(found)}`"


def _kind(value: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "$ref" in value:
        return "a section, below"
    if "anyOf" in value:
        return " or ".join(_kind(inner) for inner in value["anyOf"] if inner.get("type") != "null")
    if "enum" in value:
        return _choice(value["enum"])
    kind = value.get("type")
    if kind == "array":
        return f"a list of {_kind(value['items'])}{_bounds(value.get('minItems'), value.get('maxItems'))}"
    if kind == "object":
        name, _ = _section_of("", value)
        return "sections by name, below" if name else "a mapping of text to text"
    if kind in ("integer", "number"):
        most = value.get("maximum", value.get("exclusiveMaximum"))
        below = "below " if "exclusiveMaximum" in value else ""
        return "a whole number" + _bounds(value.get("minimum"), None if most is None else f"{below}{most}")
    if kind == "boolean":
        return "`true` or `false`"
    if "examples" in value:
        return f"text such as `{value['examples'][0]}`"
    return f"text matching `{value['pattern']}`".replace("|", "\\|") if "pattern" in value else "text"


def _choice(allowed: list[Any]) -> str:
    words = [
        f"`{json.dumps(one) if not isinstance(one, str) else one}`" for one in allowed if one not in ("true", "false")
    ]
    if len(words) <= _LONGEST_LIST:
        return ", ".join(words)
    return f"one of {len(words)}: {', '.join(words[:3])}, …"


def _bounds(least: Any, most: Any) -> str:
    if least is None and most is None:
        return ""
    if least == most:
        return f" ({least})"
    if least is None:
        return f" (at most {most})"
    return f" ({least} to {most})" if most is not None else f" ({least} or more)"
