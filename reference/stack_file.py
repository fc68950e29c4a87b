"""The reference page of a stack file's fields, made from the schema and so from the types."""

from __future__ import annotations

from components.settings import PROJECT, StackConfig

from .fields import sections, table
from .schema import schema

_HEAD = f"""# The stack file

Made from `components/settings` by `make docs`: do not edit. A stack file is `Pulumi.<stack>.yaml`; its keys stand under
`config:`, those of the project as `{PROJECT}:<key>`. `schemas/stack.schema.json` says the same to editors: a first
line `# yaml-language-server: $schema=schemas/stack.schema.json` gives completion and underlines mistakes.

What only shows between values (overlapping ranges, a type that the region does not sell, a surge beyond a reservation)
is refused with its reason before anything is created.
"""


def render() -> str:
    """The page."""
    made = schema()
    config = made["properties"]["config"]["properties"]
    fields = {key: value for key, value in config.items() if ":" in key}
    required = {f"{PROJECT}:{name}" for name, field in StackConfig.model_fields.items() if field.is_required()}
    required |= set(made["properties"]["config"]["required"])
    parts = [_HEAD, "## Top-level keys\n", table(fields, required, made["definitions"])]
    for key, value in fields.items():
        parts += sections(key.partition(":")[2], value, made["definitions"])
    return "\n".join(parts).rstrip() + "\n"
