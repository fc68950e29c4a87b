"""Tables of fields as a page has them, made from a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_LONGEST_LIST = 12
_ANY_NAME = "<name>"


def sections(path: str, value: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """The section that is at ``path``, and those in it."""
    name, path = _section_of(path, value)
    if name is None:
        return
    section = definitions[name]
    yield f"## {path}\n"
    yield section["description"].replace("\n\n", "\n") + "\n"
    yield table(section["properties"], set(section.get("required", ())), definitions)
    for key, inner in section["properties"].items():
        yield from sections(f"{path}.{key}", inner, definitions)


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


def table(fields: dict[str, Any], required: set[str], definitions: dict[str, Any]) -> str:
    """A row a field; the first line of what is said of it."""
    lines = ["| key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for key, value in fields.items():
        default = "required" if key in required else _default(value)
        name, _ = _section_of("", value)
        said = value.get("description") or (definitions[name]["description"] if name else "")
        first = said.partition("\n")[0]
        lines.append(f"| `{key}` | {_kind(value)} | {default} | {first} |")
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
        each = value.get("items") or value["prefixItems"][0]
        return f"a list of {_kind(each)}{_bounds(value.get('minItems'), value.get('maxItems'))}"
    if kind == "object":
        name, _ = _section_of("", value)
        return "sections by name, below" if name else "a mapping of text to text"
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(value)
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


def _range(value: dict[str, Any]) -> str:
    if "exclusiveMinimum" in value:
        return f" (above {value['exclusiveMinimum']})"
    most = value.get("maximum", value.get("exclusiveMaximum"))
    below = "below " if "exclusiveMaximum" in value else ""
    return _bounds(value.get("minimum"), None if most is None else f"{below}{most}")


def _bounds(least: Any, most: Any) -> str:
    if least is None and most is None:
        return ""
    if least == most:
        return f" ({least})"
    if least is None:
        return f" (at most {most})"
    return f" ({least} to {most})" if most is not None else f" ({least} or more)"
