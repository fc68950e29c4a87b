"""Reading what really is: resources that the program only looks up, and the refresh of those that it owns."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pulumi.runtime.proto import resource_pb2

from local.engine import operations
from local.engine.calls import HalfMade, ProviderFailure
from local.engine.diff import changes_between, described, is_equal
from local.engine.operations import Made
from local.engine.resources import Resources, is_same_entry
from local.engine.run import Run, now
from local.engine.store.model import ResourceState
from local.engine.urns import is_provider
from local.engine.values import UNKNOWN_TEXT, from_struct


def read_goal(
    run: Run, resources: Resources, request: resource_pb2.ReadResourceRequest, reference: str, position: str
) -> ResourceState:
    """Look up a resource that the program names by its id; it is kept in the state as not ours.

    Raises:
        ProviderFailure: it is not there, or that cannot be told.
    """
    run.guard()
    urn = run.naming.urn(request.type, request.name, request.parent)
    old = resources.claim_read(urn, request)
    run.registered(urn, request.type, request.parent)
    new = ResourceState(
        urn=urn, type=request.type, custom=True, id=request.id, inputs=from_struct(request.properties),
        parent=request.parent, external=True, provider=reference, dependencies=tuple(sorted(request.dependencies)),
        additional_secret_outputs=tuple(request.additionalSecretOutputs), source_position=position,
        created=old.created if old else "", modified=old.modified if old else "",
    )  # fmt: skip
    began = run.begin(urn, request.type, "read")
    with run.slots:
        provider = run.providers.find(reference)
        if provider.is_known and new.id != UNKNOWN_TEXT:
            reasons: tuple[str, ...] = ()
            try:
                found = operations.read(provider, new)
            except HalfMade as half:
                found, reasons = Made(half.id or new.id, half.outputs), half.reasons
            except ProviderFailure as failure:
                run.finish(urn, request.type, "read", began, error=failure.message)
                raise
            if found is None:
                run.finish(urn, request.type, "read", began, error="it does not exist")
                raise ProviderFailure(f"there is no {request.type} with the id {new.id!r}")
            new = replace(new, id=found.id, outputs=found.outputs, init_errors=reasons)
    run.keep_secret(new.outputs)
    _keep(run, new, old)
    run.finish(urn, request.type, "read", began)
    return new


def _keep(run: Run, new: ResourceState, old: ResourceState | None) -> None:
    with run.lock:
        run.news[new.urn] = new
    if old is None or not is_same_entry(old, new):
        put = [new]
        if old is not None and not old.external and old.id != new.id:
            put.append(replace(old, delete=True))
            run.superseded.append(put[-1])
        run.log.record(put=put)


def refresh(run: Run, states: Sequence[ResourceState]) -> None:
    """Bring the state to what really is: what is gone leaves it, what differs is taken over."""
    with ThreadPoolExecutor(max_workers=run.parallel, thread_name_prefix="refresh") as pool:
        list(pool.map(lambda state: _refresh(run, state), states))
    gone = {state.urn for state in states} - run.olds.keys()
    if gone:
        _forget(run, gone)


def _refresh(run: Run, state: ResourceState) -> None:
    run.registered(state.urn, state.type, state.parent)
    if run.is_stopped or run.is_interrupted:
        return
    if not state.custom or is_provider(state.type) or not state.id or state.pending_replacement:
        run.finish(state.urn, state.type, "same")
        return
    began = run.begin(state.urn, state.type, "read")
    reasons: tuple[str, ...] = ()
    try:
        found = operations.read(run.providers.find(state.provider), state)
    except HalfMade as half:
        found, reasons = Made(half.id or state.id, half.outputs, half.inputs), half.reasons
    except ProviderFailure as failure:
        run.finish(state.urn, state.type, "read", began, error=failure.message)
        run.tell("error", f"reading failed: {failure.message}", state.urn)
        return
    if found is None:
        with run.lock:
            del run.olds[state.urn]
        run.log.record(remove=[state])
        run.finish(state.urn, state.type, "delete", began)
        return
    _take_over(run, state, found, reasons, began)


def _take_over(run: Run, state: ResourceState, found: Made, reasons: tuple[str, ...], began: float) -> None:
    inputs = found.inputs if found.inputs is not None else dict(state.inputs)
    new = replace(state, id=found.id, outputs=found.outputs, inputs=inputs, init_errors=reasons)
    run.keep_secret(new.outputs)
    is_same = new.id == state.id and reasons == state.init_errors
    if is_same and is_equal(state.outputs, new.outputs) and is_equal(state.inputs, new.inputs):
        run.finish(state.urn, state.type, "same", began)
        return
    new = replace(new, modified=now())
    with run.lock:
        run.olds[state.urn] = new
    run.log.record(put=[new])
    if is_same and found.inputs is not None and is_equal(state.inputs, new.inputs):
        # What the cloud fills in later (an address, a list of what refers to it) is no drift: nobody declared it.
        run.finish(state.urn, state.type, "same", began)
        return
    before, after = (state.inputs, new.inputs) if found.inputs is not None else (state.outputs, new.outputs)
    changes = described(changes_between(before, after), before, after)
    run.finish(state.urn, state.type, "update", began, changes)


def _forget(run: Run, gone: set[str]) -> None:
    """Take what is gone out of what others say they depend on: the CLI refuses a state that names it."""
    for urn, state in list(run.olds.items()):
        if not gone.intersection(state.needs()):
            continue
        kept = replace(
            state,
            dependencies=tuple(other for other in state.dependencies if other not in gone),
            property_dependencies={
                name: tuple(other for other in urns if other not in gone)
                for name, urns in state.property_dependencies.items()
            },
            deleted_with="" if state.deleted_with in gone else state.deleted_with,
            replace_with=tuple(other for other in state.replace_with if other not in gone),
        )
        run.olds[urn] = kept
        run.log.record(put=[kept])
