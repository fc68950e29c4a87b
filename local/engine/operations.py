"""The operations of a provider on one resource, in plain values; what a preview may not do is answered here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.runtime.proto import provider_pb2

from local.engine.calls import ProviderFailure, call
from local.engine.diff import Path, changes_between, is_within, parse_path
from local.engine.providers import Provider
from local.engine.store.model import ResourceState, Secret
from local.engine.urns import name_of, type_of
from local.engine.values import Values, from_struct, to_struct

_DIFF = provider_pb2.DiffResponse
_DELETE_KINDS = {provider_pb2.PropertyDiff.Kind.DELETE_REPLACE, provider_pb2.PropertyDiff.Kind.ADD_REPLACE}
_REPLACE_KINDS = _DELETE_KINDS | {provider_pb2.PropertyDiff.Kind.UPDATE_REPLACE}


@dataclass(frozen=True)
class Difference:
    """What a provider makes of old and new inputs."""

    is_changed: bool = False
    replaces: frozenset[str] = frozenset()  # properties that ask for a replacement; "*" for the resource as a whole
    delete_first: bool = False
    paths: tuple[Path, ...] = ()

    @property
    def is_replacement(self) -> bool:
        """Whether the resource has to be made anew."""
        return self.is_changed and bool(self.replaces)


@dataclass(frozen=True)
class Made:
    """What exists after a create, an update or a read."""

    id: str
    outputs: Values
    inputs: Values | None = None


def check(provider: Provider, urn: str, old: Mapping[str, Any], new: Values) -> tuple[Values, list[str]]:
    """The inputs with defaults, and what is wrong with them, one sentence each."""
    if not provider.is_known:
        return new, []
    request = provider_pb2.CheckRequest(
        urn=urn, olds=to_struct(old), news=to_struct(new), randomSeed=os.urandom(32), name=name_of(urn),
        type=type_of(urn),
    )  # fmt: skip
    try:
        response = call(provider.servicer.Check, request)
    except ProviderFailure as failure:
        if not failure.is_unimplemented:
            raise
        return new, []
    problems = [f"{one.property}: {one.reason}" if one.property else one.reason for one in response.failures]
    checked = from_struct(response.inputs)
    return (checked if provider.accepts_secrets else marked_like(checked, new)), problems


def diff(provider: Provider, urn: str, old: ResourceState, new: Values, ignored: Iterable[str] = ()) -> Difference:
    """What has to be done to get from ``old`` to the new inputs."""
    own = tuple(changes_between(old.inputs, new))
    if not provider.is_known:
        return Difference(is_changed=True, paths=own)
    request = provider_pb2.DiffRequest(
        id=old.id, urn=urn, olds=to_struct(old.outputs), news=to_struct(new), ignoreChanges=list(ignored),
        old_inputs=to_struct(old.inputs), name=name_of(urn), type=old.type,
    )  # fmt: skip
    try:
        response = call(provider.servicer.Diff, request)
    except ProviderFailure as failure:
        if not failure.is_unimplemented:
            raise
        response = provider_pb2.DiffResponse()
    return difference_of(response, own)


def difference_of(response: provider_pb2.DiffResponse, own: tuple[Path, ...]) -> Difference:
    """A provider's answer; where it knows of no difference but does not deny one, the inputs' own count."""
    if response.changes == _DIFF.DIFF_NONE:
        return Difference()
    replaces = frozenset(response.replaces) | {
        path for path, detail in response.detailedDiff.items() if detail.kind in _REPLACE_KINDS
    }
    told = tuple(parse_path(text) for text in (response.detailedDiff or response.diffs))
    changed = response.changes == _DIFF.DIFF_SOME or bool(replaces or own)
    return Difference(changed, replaces, response.deleteBeforeReplace, _finer(told, own))


def _finer(told: tuple[Path, ...], own: tuple[Path, ...]) -> tuple[Path, ...]:
    """The provider's paths, each replaced by the inputs' own differences inside it where there are some."""
    finer: list[Path] = []
    for path in told:
        inside = [candidate for candidate in own if is_within(candidate, path)]
        finer.extend(inside or [path])
    return tuple(dict.fromkeys(finer)) or own


def create(provider: Provider, new: ResourceState, preview: bool) -> Made:
    """Make the resource; in a preview, what can be known about it.

    Raises:
        ProviderFailure: nothing was made.
        HalfMade: something was.
    """
    if preview and not (provider.is_known and provider.supports_preview):
        return Made("", {})
    request = provider_pb2.CreateRequest(
        urn=new.urn, properties=to_struct(new.inputs), timeout=new.custom_timeouts.get("create", 0.0),
        preview=preview, name=new.name, type=new.type,
    )  # fmt: skip
    response = call(provider.servicer.Create, request)
    if not response.id and not preview:
        raise ProviderFailure("the provider created the resource without giving it an id; that is its defect")
    return Made(response.id, outputs_of(provider, response.properties, new))


def update(provider: Provider, old: ResourceState, new: ResourceState, preview: bool) -> Made:
    """Change the resource in place.

    Raises:
        ProviderFailure: it was not changed.
        HalfMade: it was, and is not ready.
    """
    if preview and not (provider.is_known and provider.supports_preview):
        return Made(old.id, {})
    request = provider_pb2.UpdateRequest(
        id=old.id, urn=new.urn, olds=to_struct(old.outputs), news=to_struct(new.inputs), preview=preview,
        timeout=new.custom_timeouts.get("update", 0.0), ignoreChanges=list(new.ignore_changes),
        old_inputs=to_struct(old.inputs), name=new.name, type=new.type,
    )  # fmt: skip
    response = call(provider.servicer.Update, request)
    return Made(old.id, outputs_of(provider, response.properties, new))


def delete(provider: Provider, old: ResourceState) -> None:
    """Remove the resource.

    Raises:
        ProviderFailure: it is still there.
    """
    request = provider_pb2.DeleteRequest(
        id=old.id, urn=old.urn, properties=to_struct(old.outputs), timeout=old.custom_timeouts.get("delete", 0.0),
        old_inputs=to_struct(old.inputs), name=old.name, type=old.type,
    )  # fmt: skip
    call(provider.servicer.Delete, request)


def read(provider: Provider, state: ResourceState) -> Made | None:
    """The resource as it really is; ``None`` where it is not there.

    Raises:
        ProviderFailure: that cannot be told.
        HalfMade: it is there, and not ready.
    """
    request = provider_pb2.ReadRequest(
        id=state.id, urn=state.urn, properties=to_struct(state.outputs or state.inputs),
        inputs=to_struct(state.inputs), name=state.name, type=state.type,
    )  # fmt: skip
    response = call(provider.servicer.Read, request)
    if not response.id:
        return None
    inputs = from_struct(response.inputs) if response.HasField("inputs") else None
    return Made(response.id, outputs_of(provider, response.properties, state), inputs)


def outputs_of(provider: Provider, properties: Any, new: ResourceState) -> Values:
    """A provider's outputs with everything marked secret that has to be."""
    outputs = from_struct(properties)
    if not provider.accepts_secrets:
        outputs = marked_like(outputs, new.inputs)
    return with_secret(outputs, new.additional_secret_outputs)


def with_secret(outputs: Values, names: Iterable[str]) -> Values:
    """``outputs`` with the named ones marked as secret."""
    for name in names:
        if name in outputs and not isinstance(outputs[name], Secret):
            outputs[name] = Secret(outputs[name])
    return outputs


def marked_like(values: Values, model: Mapping[str, Any]) -> Values:
    """``values`` with those marked as secret that are in ``model``, for providers that lose the marks."""
    return with_secret(values, [name for name, value in model.items() if isinstance(value, Secret)])


def replacing(difference: Difference, replace_on_changes: Iterable[str]) -> Difference:
    """The difference with the program's own ``replaceOnChanges``."""
    if not difference.is_changed:
        return difference
    patterns = [parse_path(text) for text in replace_on_changes]
    hits = {
        str(path[0]) if path else "*"
        for path in difference.paths
        if any(is_within(path, pattern) or is_within(pattern, path) for pattern in patterns)
    }
    return Difference(True, difference.replaces | hits, difference.delete_first, difference.paths)
