"""The stack's outputs as the last run left them in the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.engine.store import Secret
from operations import verdicts
from operations.session import open_store
from operations.summary import verdict_of
from operations.workplace import Workplace

ROOT_TYPE = "pulumi:pulumi:Stack"


def stack_outputs(place: Workplace) -> Mapping[str, Any]:
    """What the stack exports, without its secrets; empty where nothing was deployed."""
    store = open_store(place)
    if not store.exists():
        return {}
    outputs = next((one.outputs for one in store.open().resources if one.type == ROOT_TYPE), {})
    return {name: value for name, value in outputs.items() if not isinstance(value, Secret)}


def last_verdict(place: Workplace) -> Mapping[str, Any] | None:
    """The verdict of the last smoke test, which the outputs do not have where it failed."""
    if failed := verdicts.of_failed_job(place):
        return failed
    outputs = stack_outputs(place)
    return verdict_of(outputs) if isinstance(outputs.get("datacenter"), Mapping) else None
