"""The Pulumi provider ``gcp`` for one machine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

from local.gcp import records, schema
from local.gcp.records import Record
from local.gcp.resource_type import STOPPED, Place, ResourceType
from local.gcp.tables import TYPES
from local.paths import DataRoot, LocalCloudError
from local.provider import (
    UNKNOWN,
    Changes,
    Check,
    CheckFailed,
    Create,
    Delete,
    Diff,
    Failure,
    Found,
    InitFailed,
    LocalProvider,
    Made,
    ProviderError,
    Read,
    Update,
    Values,
    compare,
    has_unknown,
)


class GcpProvider(LocalProvider):
    """One instance a provider resource, each with its own project and region."""

    name = "gcp"
    version = importlib.metadata.version("pulumi-gcp")

    def __init__(self, root: DataRoot | None = None) -> None:
        self._root = root or DataRoot.of_environment()
        self._place = Place(self._root, "", "")

    def check_config(self, inputs: Values) -> Values:
        """A project must be named: without one Google's provider takes what the machine is signed in to."""
        missing = [name for name in ("project", "region") if not inputs.get(name)]
        if missing:
            raise CheckFailed(*(Failure(name, "is missing: name it, so that no other is touched") for name in missing))
        return inputs

    def diff_config(self, old: Values, new: Values) -> Changes:
        """Another project means other resources; everything else leaves them in place."""
        return Changes(compare(old, new, lambda path: path == "project"))

    def configure(self, config: Values) -> None:
        """Take project and region."""
        self._place = Place(self._root, str(config.get("project") or ""), str(config.get("region") or ""))

    def check(self, request: Check) -> Values:
        """Known types only, with the properties that the SDK gives them."""
        self._kind(request.type)
        inputs = {key: value for key, value in request.inputs.items() if value is not None}
        if found := schema.problems(request.type, inputs):
            raise CheckFailed(*found)
        return inputs

    def diff(self, request: Diff) -> Changes:
        """What the program changed; what has the same id is deleted before it is made anew."""
        kind = self._kind(request.type)
        found = compare(request.old_inputs, request.inputs, kind.replaces, request.ignore)
        return Changes(found, delete_before_replace=any(change.replace for change in found))

    def create(self, request: Create) -> Made:
        """Make, or go on with what an interrupted run made."""
        kind = self._kind(request.type)
        if request.preview:
            return Made("", self._foretold(kind, request.inputs))
        id = kind.id_of(self._place, request.inputs)
        found = records.read(self._root, kind.token, id)
        if found and found.urn != request.urn:
            raise ProviderError(f"{id} exists already, as {found.urn}: give one of the two another name")
        return Made(id, self._settle(kind, request.urn, id, request.inputs))

    def read(self, request: Read) -> Found | None:
        """The outputs as they are, and in the inputs what has died."""
        kind = self._kind(request.type)
        known = records.read(self._root, kind.token, request.id)
        if known is None:
            return None
        inputs, outputs = dict(known.inputs), {**known.outputs, **kind.outputs(self._place, known.inputs)}
        if dead := kind.dead(self._place, known.inputs):
            inputs[STOPPED] = outputs[STOPPED] = f"stopped: {dead}"
        return Found(request.id, outputs, inputs)

    def update(self, request: Update) -> Mapping[str, Any]:
        """Change in place."""
        kind = self._kind(request.type)
        if request.preview:
            removed = request.old_inputs.keys() - request.inputs.keys()
            kept = {key: value for key, value in request.old_outputs.items() if key not in removed}
            same = {k: v for k, v in kept.items() if request.old_inputs.get(k) == request.inputs.get(k)}
            return {**kept, **request.inputs, **same}
        return self._settle(kind, request.urn, request.id, request.inputs)

    def delete(self, request: Delete) -> None:
        """Remove it; fine where it is gone."""
        kind = self._kind(request.type)
        known = records.read(self._root, kind.token, request.id)
        inputs = known.inputs if known else request.inputs
        if inputs.get("deletionProtection") is True:
            raise ProviderError(
                f"{request.id} is protected from deletion (deletionProtection): let it go by an up that says false"
            )
        kind.remove(self._place, inputs)
        records.remove(self._root, kind.token, request.id)

    def fidelity_of(self, type_token: str) -> str:
        """How real the type is here."""
        return self._kind(type_token).fidelity

    def _settle(self, kind: ResourceType, urn: str, id: str, inputs: Values) -> Values:
        """Recorded before it is made real, so that whatever a killed run made is found again."""
        outputs = self._outputs(kind, inputs, id)
        records.write(self._root, kind.token, id, Record(urn, inputs, outputs))
        try:
            kind.realise(self._place, inputs)
        except (ProviderError, LocalCloudError) as error:
            raise InitFailed(f"{urn} is not complete", id, outputs, [str(error)]) from error
        outputs = {**outputs, **kind.outputs(self._place, inputs)}
        records.write(self._root, kind.token, id, Record(urn, inputs, outputs))
        return outputs

    def _outputs(self, kind: ResourceType, inputs: Values, id: str) -> Values:
        fixed: Values = {"project": self._place.project, "localFidelity": kind.fidelity}
        return {**fixed, **inputs, **kind.outputs(self._place, inputs), "id": id}

    def _foretold(self, kind: ResourceType, inputs: Values) -> Values:
        """What will be there; what only a running cluster knows is unknown."""
        found: Values = {"project": self._place.project, **inputs}
        if kind.fidelity == "realised":
            return {**found, "endpoint": UNKNOWN, "masterAuth": UNKNOWN, "controlPlaneEndpointsConfig": UNKNOWN}
        return found if has_unknown(inputs) else {**found, **kind.outputs(self._place, inputs)}

    def _kind(self, token: str) -> ResourceType:
        kind = TYPES.get(token)
        if kind is None:
            raise ProviderError(
                f"{token} is not among the {len(TYPES)} types that the local gcp provider stands in for; "
                "local/gcp/tables.py has them"
            )
        return kind
