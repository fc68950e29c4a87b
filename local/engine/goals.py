"""What the program asks for: a registration's request as plain values."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

from pulumi.runtime.proto import alias_pb2, resource_pb2, source_pb2

from local.engine.urns import Naming, name_of, qualified_type, type_of
from local.engine.values import Values, from_struct

_DURATION = re.compile(r"(\d+(?:\.\d*)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One resource as the program wants it."""

    type: str
    name: str
    custom: bool
    inputs: Values
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool | None = None
    retain_on_delete: bool | None = None
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[alias_pb2.Alias, ...] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict[str, float])
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    source_position: str = ""


def goal_of(request: resource_pb2.RegisterResourceRequest, root: Path, parent: Goal | None) -> Goal:
    """The goal in a registration; what it leaves open is taken from its parent.

    Raises:
        ValueError: a timeout is none.
    """
    inputs = from_struct(request.object)
    depends = tuple(sorted(request.dependencies))
    if request.propertyDependencies:
        by_property = {name: tuple(sorted(deps.urns)) for name, deps in request.propertyDependencies.items()}
    else:
        by_property = dict.fromkeys(inputs, depends)
    file, line = place_of(request.sourcePosition)
    timeouts = {
        name: seconds_of(text)
        for name in ("create", "update", "delete")
        if (text := getattr(request.customTimeouts, name))
    }
    is_before_set = request.deleteBeforeReplaceDefined or request.deleteBeforeReplace
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=inputs,
        parent=request.parent,
        provider=request.provider or _inherited_provider(request, parent),
        dependencies=depends,
        property_dependencies=by_property,
        protect=request.protect if request.HasField("protect") else parent.protect if parent else None,
        retain_on_delete=(
            request.retainOnDelete
            if request.HasField("retainOnDelete")
            else parent.retain_on_delete
            if parent
            else None
        ),
        delete_before_replace=request.deleteBeforeReplace if is_before_set else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=(*(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs), *request.aliases),
        custom_timeouts=timeouts,
        deleted_with=request.deletedWith or (parent.deleted_with if parent else ""),
        replace_with=tuple(request.replace_with),
        file=file,
        line=line,
        source_position=project_position(file, line, root),
    )


def _inherited_provider(request: resource_pb2.RegisterResourceRequest, parent: Goal | None) -> str:
    if parent is None or not parent.provider:
        return ""
    package = request.type.split(":", 1)[0]
    fits = type_of(parent.provider.rpartition("::")[0]).rsplit(":", 1)[-1] == package
    return parent.provider if fits or not request.custom else ""


def place_of(position: source_pb2.SourcePosition) -> tuple[str, int]:
    """File and line of a position in the program; empty where there is none."""
    if not position.uri:
        return "", 0
    return unquote(urlparse(position.uri).path), position.line


def project_position(file: str, line: int, root: Path) -> str:
    """A position as the checkpoint holds it: relative to the project."""
    return f"project:///{os.path.relpath(file, root)}#{line}" if file else ""


def seconds_of(duration: str) -> float:
    """The seconds of a duration such as ``1h30m``.

    Raises:
        ValueError: it is none.
    """
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"the timeout {duration!r} is none; write it as 90s, 10m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def alias_urns(goal: Goal, naming: Naming, taken: Mapping[str, str]) -> list[str]:
    """Every URN that the resource may have had before, given the aliases that its parents matched (``taken``)."""
    urns = [_collapsed(alias, goal, naming, taken) for alias in goal.aliases]
    former_parent = taken.get(goal.parent)
    if former_parent:
        parent_name = name_of(goal.parent)
        own = [(goal.type, goal.name)] + [(type_of(urn), name_of(urn)) for urn in urns]
        urns.extend(_under_former(kind, name, parent_name, former_parent, naming) for kind, name in own)
    return list(dict.fromkeys(urns))


def _collapsed(alias: alias_pb2.Alias, goal: Goal, naming: Naming, taken: Mapping[str, str]) -> str:
    if alias.WhichOneof("alias") == "urn":
        return alias.urn
    spec = alias.spec
    parent = taken.get(spec.parentUrn, spec.parentUrn) or goal.parent
    if spec.noParent:
        parent = ""
    named = Naming(spec.stack or naming.stack, spec.project or naming.project)
    return named.urn(spec.type or goal.type, spec.name or goal.name, parent)


def _under_former(kind: str, name: str, parent_name: str, former_parent: str, naming: Naming) -> str:
    """The URN under the parent's former one; a name that began with the parent's began with its former one then."""
    if name.startswith(parent_name):
        name = name_of(former_parent) + name[len(parent_name) :]
    return naming.with_parent_type(kind, name, qualified_type(former_parent))
