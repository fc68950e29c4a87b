"""How every type lives: adopted or made, settled, read back, compared, changed in place, deleted."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.aws.cloud import Cloud, ServiceError
from local.aws.resource_type import AUTONAMED, INTERNAL_TAGS, Call, ResourceType, project
from local.paths import LocalCloudError
from local.provider import Change, Changes, Check, Create, Delete, Diff, Found, InitFailed, Made, Read, Update, compare
from local.provider.errors import ProviderError
from local.provider.paths import top_of
from local.provider.values import UNKNOWN, Unknown, Values

_WHOLE_MAPS = ("tags", "tagsAll", "labels")
"""Marks inputs whose name the program did not give (keys that begin with two underscores are not shown)."""


class StateKnowledge:
    """Which ids the engine's state holds for a URN, as far as its questions have shown.

    While a resource is replaced, the old one carries the same URN as the new one: only what the state does not know
    was left by an interrupted run and may be adopted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._has_state: set[str] = set()

    def saw(self, urn: str, id: str = "") -> None:
        """The state holds this URN, under this id if given."""
        with self._lock:
            self._has_state.add(urn)
            if id:
                self._ids[urn].add(id)

    def may_adopt(self, urn: str, id: str) -> bool:
        """Whether the object ``id`` with this URN is an interrupted run's."""
        with self._lock:
            if urn in self._has_state and not self._ids[urn]:
                return False
            return id not in self._ids[urn]


@dataclass(frozen=True)
class Lifecycle:
    """The operations on resources of one provider instance; ``default_tags`` go onto everything that has tags."""

    cloud: Cloud
    default_tags: Mapping[str, str]
    known: StateKnowledge

    def check(self, kind: ResourceType, request: Check) -> Values:
        """The inputs with their name and all their tags."""
        inputs = {key: value for key, value in request.inputs.items() if value is not None}
        if request.old_inputs:
            self.known.saw(request.urn)
        if kind.autoname and inputs.get(kind.autoname[0]) is None:
            name, longest = kind.autoname
            prefix = inputs.get(f"{name}Prefix")
            inputs[name] = (
                _prefixed(request, name, prefix) if isinstance(prefix, str) else request.autoname(name, longest)
            )
            inputs[AUTONAMED] = True
        if kind.taggable and not isinstance(inputs.get("tags"), Unknown):
            tags = {**self.default_tags, **(inputs.get("tags") or {})}
            if tags:
                inputs["tagsAll"] = tags
        return inputs

    def diff(self, kind: ResourceType, request: Diff) -> Changes:
        """What the program changed; a tag is named once, and defaults of the provider where they changed."""
        self.known.saw(request.urn, request.id)
        found = compare(
            request.old_inputs, request.inputs, lambda path: kind.replaces(path, request.inputs), request.ignore
        )
        own = {change.path.removeprefix("tags") for change in found if change.top == "tags"}
        kept = tuple(
            c for c in found if c.top != "tagsAll" or (c.path.removeprefix("tagsAll") not in own and "" not in own)
        )
        if kind.settle is None:
            kept = tuple(Change(change.path, change.kind, replace=True) for change in kept)
        before_replace = kind.delete_before_replace or self._keeps_name(kind, request)
        return Changes(kept, delete_before_replace=before_replace and any(change.replace for change in kept))

    def create(self, kind: ResourceType, request: Create) -> Made:
        """Adopt what an interrupted run left, or make it; then settle what the create request cannot say."""
        call = self._call(request.urn, request.inputs)
        if request.preview:
            return Made("", self._outputs(kind, request.inputs, {}))
        adopted = self._adopt(kind, call)
        id = adopted or kind.create(call)
        call = replace(call, id=id)
        try:
            self._settle(kind, call, adopted is not None)
            outputs = kind.read(call.cloud, id, request.inputs)
        except (ProviderError, LocalCloudError) as error:
            partial = self._outputs(kind, request.inputs, {"id": id})
            raise InitFailed(
                f"{request.urn} was created ({id}) and is not complete", id, partial, [str(error)]
            ) from error
        if outputs is None:
            raise ProviderError(f"{request.urn} was created as {id} and cannot be found again")
        return Made(id, self._outputs(kind, request.inputs, {**outputs, "id": id}))

    def read(self, kind: ResourceType, request: Read) -> Found | None:
        """The outputs as they are now, and the inputs that would make it so."""
        self.known.saw(request.urn, request.id)
        last = {**request.outputs, **request.inputs} if request.inputs else dict(request.outputs)
        cloud = self._cloud(last)
        found = kind.read(cloud, request.id, last)
        if found is None:
            return None
        found = {"region": cloud.region, **found}
        outputs = self._outputs(kind, request.inputs or request.outputs, {**found, "id": request.id})
        inputs = {
            key: project(value, outputs[key], whole=key in _WHOLE_MAPS) if key in outputs else value
            for key, value in request.inputs.items()
        }
        inputs |= {key: found[key] for key in kind.damage if key in found and request.inputs}
        if kind.taggable and request.inputs:
            inputs |= self._read_tags(request.inputs, outputs)
        return Found(request.id, outputs, inputs)

    def update(self, kind: ResourceType, request: Update) -> Values:
        """Change in place what differs."""
        self.known.saw(request.urn, request.id)
        if request.preview:
            changed = {top_of(one.path) for one in compare(request.old_inputs, request.inputs, ignore=request.ignore)}
            computed = [name for top in changed for name in kind.computed_from.get(top, ())]
            kept = {**request.old_outputs, **dict.fromkeys((*kind.volatile, *computed), UNKNOWN)}
            removed = request.old_inputs.keys() - request.inputs.keys()
            planned = self._outputs(
                kind, request.inputs, {k: v for k, v in kept.items() if k not in removed}, planned=True
            )
            return {**planned, **_unchanged(request)}
        call = replace(self._call(request.urn, request.inputs), id=request.id, old_inputs=request.old_inputs)
        changed = {top_of(change.path) for change in compare(request.old_inputs, request.inputs, ignore=request.ignore)}
        if "tagsAll" in changed:
            changed = changed - {"tagsAll"} | {"tags"}
        if kind.settle is not None:  # nothing changed: a half-made resource is to be completed
            try:
                kind.settle(call, frozenset(changed or {*request.inputs, "tags"}))
            except ServiceError as error:
                if not error.is_gone or kind.read(call.cloud, request.id, request.old_outputs) is not None:
                    raise
        outputs = kind.read(call.cloud, request.id, {**request.old_outputs, **request.inputs})
        if outputs is None:
            raise ProviderError(
                f"{request.urn} ({request.id}) is gone: it was deleted behind the state's back. Run `aidc refresh`, "
                f"then `aidc up`, to have it made again"
            )
        return self._outputs(kind, request.inputs, {**outputs, "id": request.id})

    def delete(self, kind: ResourceType, request: Delete) -> None:
        """Remove it."""
        self.known.saw(request.urn, request.id)
        state = {**request.outputs, **request.inputs}
        kind.delete(self._cloud(state), request.id, state)

    def _adopt(self, kind: ResourceType, call: Call) -> str | None:
        """The id of what an interrupted run made, if it can still become what is wanted; else it is removed."""
        for id in kind.find(call):
            if not self.known.may_adopt(call.urn, id):
                continue
            found = kind.read(call.cloud, id, call.inputs)
            if found is None:
                continue
            as_found = {key: project(value, found[key]) for key, value in call.inputs.items() if key in found}
            wanted = {key: value for key, value in call.inputs.items() if key in as_found}
            named = kind.autoname[0] if kind.autoname else ""
            changes = compare(as_found, wanted, lambda path: kind.replaces(path, call.inputs))
            differences = [change for change in changes if change.replace and change.top != named]
            if not differences:
                return id
            kind.delete(call.cloud, id, {**call.inputs, **found})
        return None

    def _settle(self, kind: ResourceType, call: Call, adopted: bool) -> None:
        if kind.settle is None:
            return
        if adopted:
            last = kind.read(call.cloud, call.id, call.inputs) or {}
            wanted = frozenset({*call.inputs, "tags"})
            kind.settle(replace(call, old_inputs={k: v for k, v in last.items() if k in wanted}), wanted)
        elif wanted := kind.settled_on_create & call.inputs.keys():
            kind.settle(call, wanted)

    def _call(self, urn: str, inputs: Values) -> Call:
        tags = (
            {**self.default_tags, **(inputs.get("tags") or {})} if not isinstance(inputs.get("tags"), Unknown) else {}
        )
        return Call(self._cloud(inputs), urn, inputs, {key: str(value) for key, value in tags.items()})

    def _cloud(self, values: Mapping[str, Any]) -> Cloud:
        region = values.get("region")
        return self.cloud.account.at(region) if isinstance(region, str) and region else self.cloud

    def _outputs(self, kind: ResourceType, inputs: Values, found: Values, planned: bool = False) -> Values:
        given = {key: value for key, value in inputs.items() if key not in ("tagsAll", AUTONAMED)}
        merged = {**kind.defaults, **found, **given} if planned else {**kind.defaults, **given, **found}
        merged["region"] = self._cloud({**found, **inputs}).region
        if kind.fidelity == "recorded":
            merged["localFidelity"] = "recorded"
        if kind.taggable:
            everything = {k: v for k, v in (found.get("tags") or {}).items() if k not in INTERNAL_TAGS}
            if not found or planned:
                everything = inputs.get("tagsAll", inputs.get("tags", UNKNOWN if "tags" in inputs else {}))
            merged["tagsAll"] = everything
            merged["tags"] = self._own_tags(inputs, everything)
        return merged

    def _own_tags(self, inputs: Values, everything: Any) -> Any:
        """Of all tags those that are not the provider's defaults, and those that the program gave itself."""
        if isinstance(everything, Unknown):
            return everything
        own = inputs.get("tags") or {}
        if isinstance(own, Unknown):
            return own
        return {k: v for k, v in everything.items() if k in own or self.default_tags.get(k) != v}

    def _read_tags(self, inputs: Values, outputs: Values) -> Values:
        tags: Values = {"tagsAll": outputs["tagsAll"]} if outputs["tagsAll"] or "tagsAll" in inputs else {}
        if outputs["tags"] or "tags" in inputs:
            tags["tags"] = outputs["tags"]
        return tags

    @staticmethod
    def _keeps_name(kind: ResourceType, request: Diff) -> bool:
        """Whether old and new carry the same fixed name, so that they cannot exist side by side."""
        if kind.autoname is None or request.inputs.get(AUTONAMED):
            return False
        name = kind.autoname[0]
        return request.old_inputs.get(name) == request.inputs.get(name)


def _unchanged(request: Update) -> Values:
    """What was made of inputs that stay: more than them, where the service filled in a part, as in a cluster's VPC."""
    return {
        key: request.old_outputs[key]
        for key, value in request.inputs.items()
        if key in request.old_outputs and key not in ("tags", "tagsAll") and request.old_inputs.get(key) == value
    }


def _prefixed(request: Check, name: str, prefix: str) -> str:
    kept = request.old_inputs.get(name)
    if isinstance(kept, str) and kept.startswith(prefix):
        return kept
    return replace(request, name=prefix.rstrip("-"), old_inputs={}).autoname(name)
