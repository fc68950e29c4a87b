"""Which nodes a preview's changes would take: the settings in the state against those in the stack file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations.workplace import Workplace


def recycled(place: Workplace, outputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each pool that stands and changes, by name: the effect, the nodes, the settings that do it, a sentence.

    A pool whose settings the state does not hold, or holds as another version spelt them, is left out: what it does
    is among the steps.

    Args:
        outputs: the stack's, as the last run left them.
    """
    from pydantic import ValidationError

    from components.config import load  # imports take a while
    from components.recycling import Effect, recycles
    from components.settings import PoolConfig

    stood = outputs.get("datacenter")
    if not isinstance(stood, Mapping):
        return {}
    config, found = load(place.stack_file), dict[str, dict[str, Any]]()
    versions = (str((stood.get("cluster") or {}).get("version")), config.cluster.version)
    for pool in stood.get("pools") or ():
        name, settings = pool.get("name"), pool.get("settings")
        if name not in config.pools or not isinstance(settings, Mapping):
            continue
        try:
            verdict = recycles(PoolConfig.model_validate(dict(settings)), config.pools[name], versions)
        except (ValidationError, KeyError):
            continue
        if verdict.effect is not Effect.NOTHING:
            found[name] = {
                "effect": verdict.effect.name.lower(),
                "nodes": verdict.nodes,
                "because": list(verdict.because),
                "sentence": verdict.sentence(name),
            }
    return found
