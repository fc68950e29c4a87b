"""What goes: resources that the program does not name any more, superseded ones, and those that a replacement dooms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from local.engine import operations
from local.engine.calls import HalfMade, ProviderFailure
from local.engine.diff import forgotten
from local.engine.providers import Provider
from local.engine.run import Run, now
from local.engine.schedule import in_reverse_order_of_need
from local.engine.store.model import Operation, ResourceState
from local.engine.urns import is_provider


class Removal:
    """Deletes. Everything goes after what needs it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._gone: set[str] = set()

    def remove_all(self, states: Sequence[ResourceState]) -> None:
        """Delete these; when one of them is protected, none."""
        run = self._run
        protected = [state for state in states if state.protect and not state.delete]
        for state in protected:
            run.tell(
                "error",
                f"it would have to be deleted, and it is protected. Take `protect` away in the program and run `up`, "
                f"or `pulumi state unprotect '{state.urn}'`",
                state.urn,
            )
        if protected:
            return
        in_reverse_order_of_need(states, self._removed, run.parallel)

    def _removed(self, state: ResourceState) -> bool:
        run = self._run
        if run.is_interrupted:
            return False
        if state.pending_replacement:
            run.log.record(remove=[state])
            return True
        began = run.begin(state.urn, state.type, "delete")
        try:
            self._delete(state)
        except ProviderFailure as failure:
            run.finish(state.urn, state.type, "delete", began, error=failure.message)
            run.tell("error", f"deleting failed: {failure.message}", state.urn)
            return False
        run.finish(state.urn, state.type, "delete", began)
        return True

    def _delete(self, state: ResourceState) -> None:
        run = self._run
        with run.lock:
            self._gone.add(state.urn)
        if run.is_preview:
            return
        if not self._is_deleted_by_provider(state):
            run.log.record(remove=[state])
            return
        provider = run.providers.find(state.provider)
        number = run.log.begin("deleting", state)
        try:
            operations.delete(provider, state)
        except ProviderFailure:
            run.log.failed(number)
            raise
        run.log.end(number, remove=[state])

    def _is_deleted_by_provider(self, state: ResourceState) -> bool:
        """Components have nothing to delete, read resources are not ours, and some go with what holds them."""
        is_ours = state.custom and not is_provider(state.type) and not state.external
        return is_ours and not state.retain_on_delete and state.deleted_with not in self._gone

    def delete_for_replacement(self, old: ResourceState) -> ResourceState:
        """Delete a resource now whose successor comes later; until then its entry says so."""
        run = self._run
        if old.protect and old.urn not in run.goals:
            raise ProviderFailure(f"{old.urn} would have to be deleted with it, and is protected")
        pending = replace(old, pending_replacement=True)
        with run.lock:
            run.olds[old.urn] = pending
            self._gone.add(old.urn)
        if run.is_preview:
            return pending
        began = run.begin(old.urn, old.type, "delete")
        number = run.log.begin("deleting", old)
        try:
            if self._is_deleted_by_provider(replace(old, deleted_with="")):
                operations.delete(run.providers.find(old.provider), old)
        except ProviderFailure as failure:
            run.log.failed(number)
            run.finish(old.urn, old.type, "delete", began, error=failure.message)
            raise
        run.log.end(number, put=[pending])
        return pending

    def condemned_with(self, root: ResourceState) -> list[ResourceState]:
        """Those that cannot be while ``root`` is away: the last in the order of need first.

        A resource is condemned when the provider would replace it on a change of what it takes from a condemned one.
        """
        run = self._run
        condemned = {root.urn}
        found: list[ResourceState] = []
        for state in run.base.resources:  # in order of need: a dependent comes after what it depends on
            if state.delete or state.urn in condemned or not state.custom or is_provider(state.type):
                continue
            if state.urn in run.news or run.olds.get(state.urn) is not state or state.pending_replacement:
                continue
            if self._is_condemned(state, condemned):
                condemned.add(state.urn)
                found.append(state)
        return found[::-1]

    def _is_condemned(self, state: ResourceState, condemned: set[str]) -> bool:
        if state.deleted_with in condemned or condemned.intersection(state.replace_with):
            return True
        touched = [name for name, urns in state.property_dependencies.items() if condemned.intersection(urns)]
        if not touched or state.external:
            return False
        provider: Provider = self._run.providers.find(state.provider)
        difference = operations.diff(provider, state.urn, state, forgotten(state.inputs, touched))
        tops = {name.split(".")[0].split("[")[0] for name in difference.replaces}
        return difference.is_replacement and bool(tops.intersection(touched))

    # -- what a killed run left ---------------------------------------------------------------------------------

    def take_up(self, pending: Iterable[Operation]) -> None:
        """Settle creates of which nobody knows the end: done again as they were, they adopt what they had made.

        Afterwards each is an entry of the state like any other: the program goes on from it, or it is deleted.
        """
        run = self._run
        for operation in pending:
            state = operation.resource
            if operation.type == "creating" and state.custom and not is_provider(state.type):
                self._create_again(state)
            elif operation.type == "deleting" and not state.delete and run.olds.get(state.urn):
                self._delete_again(state)
            elif operation.type != "updating":
                run.log.settle(state.urn)

    def _delete_again(self, state: ResourceState) -> None:
        """End a deletion that had begun: the thing may be gone, so that the state's entry cannot be trusted."""
        run = self._run
        try:
            self._delete(state)
        except ProviderFailure as failure:
            run.tell("warning", f"an earlier run was deleting it; done again, that fails: {failure.message}", state.urn)
            return
        run.olds.pop(state.urn, None)

    def _create_again(self, state: ResourceState) -> None:
        run = self._run
        old = run.olds.get(state.urn)
        reasons: tuple[str, ...] = ()
        number = run.log.begin("creating", state)
        try:
            provider = run.providers.find(state.provider)
            made = operations.create(provider, state, preview=False)
        except HalfMade as half:
            made, reasons = operations.Made(half.id, half.outputs, half.inputs), half.reasons
        except ProviderFailure as failure:
            run.log.failed(number)
            run.tell("warning", f"an earlier run was creating it; done again, that fails: {failure.message}", state.urn)
            return
        outputs = operations.with_secret(made.outputs, state.additional_secret_outputs)
        new = replace(state, id=made.id, outputs=outputs, init_errors=reasons, modified=now())
        put = [new]
        if old is not None and not old.pending_replacement and old.id != new.id:
            superseded = replace(old, delete=True)
            run.superseded.append(superseded)
            put.append(superseded)
        run.log.end(number, put=put)
        run.olds[new.urn] = new
