"""The stack's outputs as the last run left them in the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local import control_plane
from local.engine.store import Secret
from operations import verdicts
from operations.session import open_store
from operations.summary import slice_verdicts_of, verdict_of
from operations.workplace import Workplace

ROOT_TYPE = "pulumi:pulumi:Stack"
_CLUSTERS = ("aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster")


def stack_outputs(place: Workplace) -> Mapping[str, Any]:
    """What the stack exports, without its secrets; empty where nothing was deployed."""
    store = open_store(place)
    if not store.exists():
        return {}
    outputs = next((one.outputs for one in store.open().resources if one.type == ROOT_TYPE), {})
    return {name: value for name, value in outputs.items() if not isinstance(value, Secret)}


def own_clusters(place: Workplace) -> list[control_plane.ControlPlane]:
    """The control planes of the stack's own clusters: a data root holds those of every stack that is up in it."""
    planes, store = control_plane.clusters(place.root), open_store(place)
    if not planes or not store.exists():
        return []
    states = [one for one in store.open().resources if one.type in _CLUSTERS]
    # GKE tells the address alone. A secret one is no text, and not looked into.
    endpoints = {str(one.outputs.get("endpoint")).removeprefix("https://") for one in states}
    return [plane for plane in planes if plane.endpoint.removeprefix("https://") in endpoints]


def last_verdict(place: Workplace) -> Mapping[str, Any] | None:
    """The verdict of the last smoke test, which the outputs do not have where a run failed."""
    return verdicts.last(place, {None: verdict_of(_readable(place))})[None]


def last_slice_verdicts(place: Workplace) -> tuple[Mapping[str, Any] | None, ...]:
    """Those of the last smoke tests on TPU slices, in their order; None: there is none yet."""
    found = verdicts.last(place, dict(enumerate(slice_verdicts_of(_readable(place)))))
    slices = [number for number in found if number is not None]
    return tuple(found.get(number) for number in range(max(slices, default=-1) + 1))


def _readable(place: Workplace) -> Mapping[str, Any]:
    """The outputs, or nothing where all of the data centre's are secret."""
    outputs = stack_outputs(place)
    return outputs if isinstance(outputs.get("datacenter"), Mapping) else {}
