"""The same resources as a program of nothing else: what components, configuration and arithmetic cost on top."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.engine.goals import Goal
from local.engine.resources import Resources
from local.engine.store.model import ResourceState
from local.engine.urns import STACK_TYPE, is_provider, split_reference
from local.engine.values import Unknown, reveal

# Each resource by its class of the SDK, as somebody has it who writes all of them out: its inputs are literals, and
# what is not known yet is the id of a resource that it comes from.
PROGRAM = """
import importlib, json
import pulumi

made = {{}}

def class_of(package, module, name):
    found = importlib.import_module("pulumi_" + package)
    for part in module.split(".") if module else ():
        found = getattr(found, part)
    return getattr(found, name)

def wired(value):
    if isinstance(value, dict):
        return made[value["id of"]].id if "id of" in value else {{key: wired(item) for key, item in value.items()}}
    return [wired(item) for item in value] if isinstance(value, list) else value

for row in json.load(open({file!r})):
    after = [made[urn] for urn in row["after"]]
    parent, provider = made.get(row["parent"]), made.get(row["provider"])
    options = pulumi.ResourceOptions(parent=parent, provider=provider, depends_on=after)
    if row["package"]:
        inputs = {{key: wired(value) for key, value in row["inputs"].items()}}
        made[row["urn"]] = class_of(row["package"], row["module"], row["class"])(row["name"], opts=options, **inputs)
    else:
        made[row["urn"]] = pulumi.ComponentResource("plain:index:" + row["class"], row["name"], None, options)
        made[row["urn"]].register_outputs({{}})
"""


@contextmanager
def recording(file: Path) -> Iterator[None]:
    """Write to ``file`` what is registered inside; nothing stands before what it needs."""
    rows: list[dict[str, Any]] = []
    register = Resources.register

    def record(self: Resources, goal: Goal) -> ResourceState:
        state = register(self, goal)
        if goal.type != STACK_TYPE:
            rows.append(_row(state.urn, goal))
        return state

    Resources.register = record
    try:
        yield
    finally:
        Resources.register = register
    file.write_text(json.dumps(_in_order_of_need(rows)))


def _row(urn: str, goal: Goal) -> dict[str, Any]:
    package, module, kind = goal.type.split(":")
    row = {"urn": urn, "name": goal.name, "parent": goal.parent, "provider": "", "after": [], "inputs": {}}
    if is_provider(goal.type):
        given = {key: value for key, value in goal.inputs.items() if key not in ("version", "__internal")}
        inputs = {key: _parsed(value) for key, value in _inputs(given, goal).items()}
        return row | {"package": kind, "module": "", "class": "Provider", "inputs": inputs}
    if not goal.custom:
        return row | {"package": "", "module": "", "class": kind}
    group, _, version = module.partition("/")
    module = group if package == "aws" else f"{group.partition('.')[0]}.{version}"
    wired = {other for others in goal.property_dependencies.values() for other in others}
    row |= {"provider": split_reference(goal.provider)[0], "after": sorted(set(goal.dependencies) - wired)}
    return row | {"package": package, "module": module, "class": kind, "inputs": _inputs(goal.inputs, goal)}


def _inputs(values: Mapping[str, Any], goal: Goal) -> dict[str, Any]:
    sources = {key: (*goal.property_dependencies.get(key, ()), *goal.dependencies) for key in values}
    return {_snake(key): _literal(reveal(value), sources[key]) for key, value in values.items()}


def _literal(value: Any, sources: tuple[str, ...]) -> Any:
    if isinstance(value, Unknown):
        return {"id of": sources[0]}
    if isinstance(value, Mapping):
        return {key: _literal(item, sources) for key, item in value.items()}
    return [_literal(item, sources) for item in value] if isinstance(value, list) else value


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _parsed(value: Any) -> Any:
    """A provider's configuration crosses the protocol as JSON text; its class takes the value itself."""
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in "[{tf" else value
    except ValueError:
        return value


def _in_order_of_need(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    waiting, placed, ordered = rows, {""}, list[dict[str, Any]]()
    known = {row["urn"] for row in rows}
    while waiting:
        free = [row for row in waiting if {urn for urn in _needs(row) if urn in known} <= placed]
        ordered += free
        placed |= {row["urn"] for row in free}
        waiting = [row for row in waiting if row["urn"] not in placed]
    return ordered


def _needs(row: dict[str, Any]) -> Iterator[str]:
    yield from (row["parent"], row["provider"], *row["after"])
    yield from re.findall(r'"id of": "([^"]+)"', json.dumps(row["inputs"]))
