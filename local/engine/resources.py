"""One resource's way: from what the program wants and the state knows to the operation, and on into the state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.runtime.proto import resource_pb2

from local.engine import operations
from local.engine.calls import HalfMade, ProviderFailure
from local.engine.diff import changes_between, described, is_equal, with_ignored
from local.engine.events import Op, PropertyChange
from local.engine.goals import Goal, alias_urns
from local.engine.operations import Difference, Made
from local.engine.providers import Provider, new_provider_id, public
from local.engine.removal import Removal
from local.engine.run import Run, now
from local.engine.store.model import ResourceState
from local.engine.urns import is_provider, split_reference
from local.engine.values import UNKNOWN_TEXT, Values, has_unknown


class Refused(Exception):
    """The engine or a provider refuses a resource; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What is to be done to one resource."""

    op: Op
    old: ResourceState | None
    new: ResourceState
    difference: Difference = field(default_factory=Difference)
    changes: tuple[PropertyChange, ...] = ()
    servicer: Any = None  # of a provider resource, not configured yet


class Resources:
    """Registers the program's resources, each in the thread that asks for it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._removal = Removal(run)
        self.claimed: dict[str, str] = {}  # former URN -> the URN that took its place
        self.former: dict[str, str] = {}  # URN -> the former one under which it was found

    def register(self, goal: Goal) -> ResourceState:
        """Bring one resource to what the program wants.

        Raises:
            Refused: it cannot be; the reason is told by whoever asked.
            ProviderFailure: the provider failed.
            Stopped: the run goes no further.
        """
        run = self._run
        run.guard()
        urn = run.naming.urn(goal.type, goal.name, goal.parent)
        run.keep_secret(goal.inputs)
        old, aliases = self._claim(urn, goal)
        run.registered(urn, goal.type, goal.parent)
        if not goal.custom:
            return self._component(urn, goal, old, aliases)
        if is_provider(goal.type):
            plan = self._plan_provider(self._wanted(urn, goal, old, aliases), old, goal)
            return self._perform_provider(plan)
        with run.slots:
            provider = run.providers.find(goal.provider)
            run.guard()
            plan = self._plan(self._wanted(urn, goal, old, aliases), old, goal, provider)
            return self._perform(plan, goal, provider)

    def _claim(self, urn: str, goal: Goal) -> tuple[ResourceState | None, tuple[str, ...]]:
        """The state's entry that this resource goes on from, and the former URN that it had there."""
        run = self._run
        with run.lock:
            if urn in run.goals:
                raise Refused(
                    f"two resources of the program have the URN {urn}; give one of them another name or parent"
                )
            run.goals[urn] = goal
            if urn in self.claimed:
                raise Refused(f"{self.claimed[urn]} claims by an alias to have been {urn}, which is declared as well")
            for candidate in [urn, *alias_urns(goal, run.naming, self.former)]:
                if candidate not in run.olds:
                    continue
                if candidate != urn:
                    if candidate in run.goals or candidate in self.claimed:
                        raise Refused(f"its alias {candidate} belongs to another resource of the program")
                    self.claimed[candidate] = urn
                    self.former[urn] = candidate
                return run.olds[candidate], (candidate,) if candidate != urn else ()
        return None, ()

    def claim_read(self, urn: str, request: resource_pb2.ReadResourceRequest) -> ResourceState | None:
        """The state's entry of a resource that is only looked up."""
        goal = Goal(type=request.type, name=request.name, custom=True, inputs={}, parent=request.parent)
        return self._claim(urn, goal)[0]

    def _wanted(self, urn: str, goal: Goal, old: ResourceState | None, aliases: tuple[str, ...]) -> ResourceState:
        """The resource's entry as far as the program alone decides it."""
        return ResourceState(
            urn=urn, type=goal.type, custom=goal.custom, id=old.id if old else "", inputs=goal.inputs,
            outputs=old.outputs if old else {}, parent=goal.parent, provider=goal.provider,
            dependencies=goal.dependencies, property_dependencies=goal.property_dependencies,
            protect=bool(goal.protect), retain_on_delete=bool(goal.retain_on_delete), aliases=aliases,
            additional_secret_outputs=goal.additional_secret_outputs, custom_timeouts=goal.custom_timeouts,
            deleted_with=goal.deleted_with, replace_with=goal.replace_with, ignore_changes=goal.ignore_changes,
            replace_on_changes=goal.replace_on_changes, source_position=goal.source_position,
            init_errors=old.init_errors if old else (), import_id=old.import_id if old else "",
            created=old.created if old else "", modified=old.modified if old else "",
        )  # fmt: skip

    # -- components ---------------------------------------------------------------------------------------------

    def _component(self, urn: str, goal: Goal, old: ResourceState | None, aliases: tuple[str, ...]) -> ResourceState:
        new = self._wanted(urn, goal, old, aliases)
        if old is not None and old.custom:
            raise Refused("it was a resource of its own and is a component now; give it another name")
        paths = changes_between(old.inputs, goal.inputs) if old else []
        op: Op = "same" if old and not paths else "update" if old else "create"
        if op != "same":
            new = replace(new, created=new.created or now(), modified=now())
        self._keep(new, old)
        self._run.finish(urn, goal.type, op, changes=described(paths, old.inputs if old else {}, goal.inputs))
        return new

    # -- providers ----------------------------------------------------------------------------------------------

    def _plan_provider(self, new: ResourceState, old: ResourceState | None, goal: Goal) -> Plan:
        registry = self._run.providers
        servicer = registry.make(new.urn)
        inputs = with_ignored(goal.inputs, old.inputs, goal.ignore_changes) if old else dict(goal.inputs)
        checked, failures = registry.check(servicer, new.urn, old.inputs if old else {}, inputs)
        if failures:
            raise Refused(
                "; ".join(f"{one.property}: {one.reason}" if one.property else one.reason for one in failures)
            )
        new = replace(new, inputs=checked)
        if old is None:
            return Plan("create", None, new, servicer=servicer)
        own = tuple(changes_between(public(old.inputs), public(checked)))
        difference = operations.difference_of(registry.diff(servicer, old, new.urn, dict(checked)), own)
        difference = operations.replacing(difference, goal.replace_on_changes)
        op: Op = "replace" if difference.is_replacement else "update" if difference.is_changed else "same"
        changes = described(difference.paths, old.inputs, checked) if op != "same" else ()
        return Plan(op, old, new, difference, changes, servicer)

    def _perform_provider(self, plan: Plan) -> ResourceState:
        run, new, old = self._run, plan.new, plan.old
        if plan.op == "replace":
            self._refuse_protected(plan)
            run.replaced.add(new.urn)
        if plan.op in ("create", "replace"):
            new = replace(new, id=UNKNOWN_TEXT if run.is_preview else new_provider_id(), created=now())
        if plan.op != "same":
            new = replace(new, outputs=public(new.inputs), modified=now())
        # An unchanged provider is configured as it was: what its own comparison calls equal stays what it was.
        configured = replace(new, inputs=old.inputs) if plan.op == "same" and old else new
        run.providers.configure(plan.servicer, configured)
        if plan.op == "replace" and old:
            self._supersede(new, old)
        else:
            self._keep(new, old)
        run.finish(new.urn, new.type, plan.op, changes=plan.changes)
        return new

    # -- resources ----------------------------------------------------------------------------------------------

    def _plan(self, new: ResourceState, old: ResourceState | None, goal: Goal, provider: Provider) -> Plan:
        is_fresh = old is None or old.external or old.pending_replacement
        before = {} if is_fresh or old is None else old.inputs
        inputs = with_ignored(goal.inputs, old.inputs, goal.ignore_changes) if old else goal.inputs
        new = replace(new, inputs=self._checked(provider, new.urn, before, inputs))
        if old is None or old.external:
            return Plan("create", None, replace(new, id="", outputs={}, created="", init_errors=()))
        if old.pending_replacement:
            return Plan("replace", old, new)
        difference = self._difference(new, old, goal, provider)
        if difference.is_replacement:
            # Defaults such as generated names are made anew: the old resource still has the ones it got.
            new = replace(new, inputs=self._checked(provider, new.urn, {}, goal.inputs))
            paths = difference.paths or tuple(changes_between(old.inputs, new.inputs))
            return Plan("replace", old, new, difference, described(paths, old.inputs, new.inputs))
        if difference.is_changed or old.init_errors or old.urn in self._run.unsettled:
            return Plan("update", old, new, difference, described(difference.paths, old.inputs, new.inputs))
        return Plan("same", old, new)

    def _checked(self, provider: Provider, urn: str, old: Any, new: Values) -> Values:
        if not self._run.is_preview and has_unknown(new):
            raise Refused("some of its inputs are unknown although nothing is left to become known")
        checked, problems = operations.check(provider, urn, old, new)
        if problems:
            raise Refused("; ".join(problems))
        self._run.keep_secret(checked)
        return checked

    def _difference(self, new: ResourceState, old: ResourceState, goal: Goal, provider: Provider) -> Difference:
        run = self._run
        own = tuple(changes_between(old.inputs, new.inputs))
        for other in (*new.replace_with, new.deleted_with):
            if other in run.replaced:
                return Difference(True, frozenset({"replaceWith"}), paths=own)
        if self._is_provider_replaced(old.provider, new.provider):
            return Difference(True, frozenset({"provider"}), paths=own)
        difference = operations.diff(provider, new.urn, old, dict(new.inputs), goal.ignore_changes)
        return operations.replacing(difference, goal.replace_on_changes)

    def _is_provider_replaced(self, old: str, new: str) -> bool:
        """Whether a resource has another provider now, and that one says that it manages other resources."""
        if old == new:
            return False
        old_urn, new_urn = split_reference(old)[0], split_reference(new)[0]
        if self.claimed.get(old_urn) == new_urn:
            return False
        before, after = self._run.olds.get(old_urn), self._run.news.get(new_urn)
        if before is None or after is None:
            return True
        servicer = self._run.providers.find(new).servicer
        return bool(self._run.providers.diff(servicer, before, new_urn, dict(after.inputs)).replaces)

    def _perform(self, plan: Plan, goal: Goal, provider: Provider) -> ResourceState:
        run, new, old = self._run, plan.new, plan.old
        if plan.op == "same":
            self._keep(new, old)
            run.finish(new.urn, new.type, "same")
            return new
        if plan.op == "replace":
            self._refuse_protected(plan)
            run.replaced.add(new.urn)
            old = self._delete_first(plan, goal)
        began = run.begin(new.urn, new.type, plan.op)
        try:
            new = self._update(new, old, provider) if plan.op == "update" and old else self._create(new, old, provider)
        except ProviderFailure as failure:
            run.finish(new.urn, new.type, plan.op, began, plan.changes, failure.message)
            raise
        run.keep_secret(new.outputs)
        run.finish(new.urn, new.type, plan.op, began, plan.changes)
        return new

    def _refuse_protected(self, plan: Plan) -> None:
        if plan.old and plan.old.protect and plan.new.protect:
            raise Refused(
                "it would have to be replaced, and it is protected. Take `protect` away in the program and run again"
            )

    def _delete_first(self, plan: Plan, goal: Goal) -> ResourceState | None:
        """The old entry; already deleted, with what cannot be without it, where the replacement asks for that."""
        old = plan.old
        first = plan.difference.delete_first if goal.delete_before_replace is None else goal.delete_before_replace
        if old is None or old.pending_replacement or not first:
            return old
        for dependent in self._removal.condemned_with(old):
            self._removal.delete_for_replacement(dependent)
        return self._removal.delete_for_replacement(old)

    def _create(self, new: ResourceState, old: ResourceState | None, provider: Provider) -> ResourceState:
        run = self._run
        new = replace(new, id="", outputs={}, init_errors=(), created=now(), modified=now())
        number = run.log.begin("creating", new)
        try:
            made = operations.create(provider, new, run.is_preview)
        except HalfMade as half:
            new = self._made(new, Made(half.id, half.outputs, half.inputs), half.reasons)
            run.log.end(number, put=self._with_superseded(new, old), remove=self._revived(new))
            raise
        except ProviderFailure:
            run.log.failed(number)
            raise
        new = self._made(new, made)
        run.log.end(number, put=self._with_superseded(new, old), remove=self._revived(new))
        return new

    def _revived(self, new: ResourceState) -> list[ResourceState]:
        """Superseded entries of the very thing that the create has adopted: it is in use again and must not go."""
        run = self._run
        with run.lock:
            revived = [state for state in run.superseded if state.urn == new.urn and state.id == new.id and new.id]
            run.superseded = [state for state in run.superseded if state not in revived]
        return revived

    def _with_superseded(self, new: ResourceState, old: ResourceState | None) -> list[ResourceState]:
        """The entries after a create: the new one, and the old one where it still has to be deleted."""
        # Two things with one id are one: a provider that adopted the old one must not be told to delete it.
        if old is None or old.pending_replacement or (old.id == new.id and old.type == new.type):
            return [new]
        gone = replace(old, delete=True)
        with self._run.lock:
            self._run.superseded.append(gone)
        return [new, gone]

    def _update(self, new: ResourceState, old: ResourceState, provider: Provider) -> ResourceState:
        run = self._run
        new = replace(new, init_errors=(), modified=now())
        number = run.log.begin("updating", new)
        leaves = [old] if old.urn != new.urn else []
        try:
            made = operations.update(provider, old, new, run.is_preview)
        except HalfMade as half:
            new = self._made(new, Made(old.id, half.outputs, half.inputs), half.reasons)
            run.log.end(number, put=[new], remove=leaves)
            raise
        except ProviderFailure:
            run.log.failed(number)
            raise
        new = self._made(new, made)
        run.log.end(number, put=[new], remove=leaves)
        return new

    def _made(self, new: ResourceState, made: Made, reasons: tuple[str, ...] = ()) -> ResourceState:
        outputs = operations.with_secret(made.outputs, new.additional_secret_outputs)
        new = replace(new, id=made.id, outputs=outputs, init_errors=reasons)
        with self._run.lock:
            self._run.news[new.urn] = new
        return new

    def _keep(self, new: ResourceState, old: ResourceState | None) -> None:
        """Put an entry that needed no provider; nothing is written where nothing differs."""
        with self._run.lock:
            self._run.news[new.urn] = new
        if old is None or not is_same_entry(old, new):
            self._run.log.record(put=[new], remove=[old] if old and old.key != new.key else [])

    def _supersede(self, new: ResourceState, old: ResourceState) -> None:
        with self._run.lock:
            self._run.news[new.urn] = new
        self._run.log.record(put=self._with_superseded(new, old))


def is_same_entry(old: ResourceState, new: ResourceState) -> bool:
    """Whether two entries say the same, so that none has to be written."""
    return replace(old, inputs={}, outputs={}, extra={}) == replace(new, inputs={}, outputs={}, extra={}) and (
        is_equal(old.inputs, new.inputs) and is_equal(old.outputs, new.outputs)
    )
