"""The same verbs by the Pulumi CLI on the same state: ``aidc up --engine cli``."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from local import moto
from local.engine.diff import changes_between
from local.engine.events import Op, Result, Step
from local.engine.store import ResourceState, environment_for_cli
from operations import up, verdicts
from operations.exits import OperationFailed
from operations.outputs import stack_outputs
from operations.session import check_configuration, open_store, require_local_account
from operations.workplace import Output, Workplace


def run(place: Workplace, verb: str) -> None:
    """Run ``pulumi -C local <verb>``; the CLI shows its own progress, and an ``up`` ends as the embedded engine's.

    Raises:
        OperationFailed: there is no CLI, it failed, or what stands does not work.
    """
    if place.output is Output.JSON:
        raise OperationFailed(
            "`--engine cli` shows what the Pulumi CLI shows, which is no JSON of ours: leave `--output json` out, "
            f"or run `pulumi -C local {verb} --json` by hand."
        )
    program = shutil.which("pulumi")
    if program is None:
        raise OperationFailed("The Pulumi CLI is not on PATH: install it, or leave `--engine cli` out.")
    check_configuration(place)
    require_local_account(place, verb)
    if verb != "preview":  # which asks nothing of a cloud: the providers start one where it does
        moto.ensure(place.root)
    copy = place.root.path / place.stack_file.name
    given = environment_for_cli(open_store(place), place.root.passphrase, place.stack, place.stack_file, copy)
    before, began = _resources(place), time.monotonic()
    command = [program, "-C", str(place.checkout / "local"), verb, "--stack", place.stack, "--yes", "--skip-preview"]
    if verb == "preview":
        command = command[:-2]
    code = subprocess.run(command, env={**os.environ, **given}, check=False).returncode
    if code != 0:
        if verb == "up":  # the other verbs run no job: one that failed has failed before
            verdicts.tell_failed(place)
        raise OperationFailed(f"`pulumi {verb}` ended with status {code}; its own words are above.")
    if verb == "up":
        up.conclude(place, _result(place, before, time.monotonic() - began))


def _resources(place: Workplace) -> dict[str, ResourceState]:
    store = open_store(place)
    return store.open().live() if store.exists() else {}


def _result(place: Workplace, before: Mapping[str, ResourceState], duration_s: float) -> Result:
    """What the CLI's run did, by what its state has become: it tells its own counts to people only."""
    after = _resources(place)
    ops: dict[str, Op] = {urn: _op(before.get(urn), state) for urn, state in after.items()}
    ops |= {urn: "delete" for urn in before if urn not in after}
    types = {urn: state.type for urn, state in [*before.items(), *after.items()]}
    steps = tuple(Step(urn, types[urn], op) for urn, op in ops.items() if op != "same")
    outputs = stack_outputs(place)
    changes, kinds = Counter[str](ops.values()), Counter(state.type for state in after.values())
    return Result("up", changes, steps, outputs, outputs, (), duration_s, {}, kinds)


def _op(old: ResourceState | None, new: ResourceState) -> Op:
    if old is None:
        return "create"
    if old.id != new.id or _moment(old) != _moment(new):
        return "replace"
    return "update" if changes_between(old.inputs, new.inputs) else "same"


def _moment(state: ResourceState) -> datetime | None:
    """When it was made; the engines write the same moment with more or fewer zeros."""
    return datetime.fromisoformat(state.created) if state.created else None
