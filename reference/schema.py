"""The JSON Schema of a stack file, made from the model: what editors complete, and what they underline."""

from __future__ import annotations

import json
from typing import Any, cast

from components.settings import PROJECT, AwsConfig, StackConfig

# Keys that the Pulumi CLI itself writes into a stack file: Pulumi documentation, "Stack settings file".
_OF_THE_CLI = ("secretsprovider", "encryptedkey", "encryptionsalt", "environment")
_FOREIGN = f"^(?!({PROJECT}|aws):)[^:]+:.+$"


def render() -> str:
    """The schema as text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema of a whole stack file, in the draft that YAML editors know."""
    model = StackConfig.model_json_schema(ref_template="#/definitions/{model}")
    definitions = cast("dict[str, Any]", model.pop("$defs"))
    aws = definitions.pop(AwsConfig.__name__)
    fields: dict[str, Any] = {f"aws:{name}": value for name, value in aws["properties"].items()}
    for name, value in model["properties"].items():
        if name != "aws":
            fields[f"{PROJECT}:{name}"] = fields[name] = _as_the_cli_leaves_it(value)
    config = {
        "type": "object",
        "description": "Keys of the project may be written with or without its name before them.",
        "properties": fields,
        "patternProperties": {_FOREIGN: {"description": "Another program's or provider's."}},
        "additionalProperties": False,
        "required": [f"aws:{name}" for name in aws["required"]],
        "allOf": [_either(name) for name in model["required"] if name != "aws"],
    }
    made = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Stack file of {PROJECT}",
        "description": "Made from components/settings by `make docs`: do not edit. Rules between values are not in it.",
        "type": "object",
        "properties": {"config": config, **{name: {} for name in _OF_THE_CLI}},
        "required": ["config"],
        "additionalProperties": False,
        "definitions": definitions,
    }
    return _closed(made)


def _either(name: str) -> dict[str, Any]:
    """A key that has to be there in one of its two spellings."""
    return {"anyOf": [{"required": [f"{PROJECT}:{name}"]}, {"required": [name]}]}


def _as_the_cli_leaves_it(field: dict[str, Any]) -> dict[str, Any]:
    """The CLI rewrites a top-level boolean as text (``stack init``)."""
    if field.get("type") != "boolean":
        return field
    return {**{key: value for key, value in field.items() if key != "type"}, "enum": [True, False, "true", "false"]}


def _closed(value: Any) -> Any:
    """The schema with mappings whose keys have a pattern closed to other keys, and without titles nobody wrote."""
    if isinstance(value, list):
        return [_closed(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found = {key: _closed(inner) for key, inner in cast("dict[str, Any]", value).items()}
    if isinstance(found.get("title"), str) and "$schema" not in found:
        del found["title"]
    if "patternProperties" in found:
        found.setdefault("additionalProperties", False)
    return found
