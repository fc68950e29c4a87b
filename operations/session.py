"""One run of the embedded engine on a stack: configuration checked first, then the local cloud, then the state."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from local import control_plane, machines, moto, nodes
from local.engine.events import Display, Result
from local.engine.store import PassphraseError, SecretsManager, StateStore
from local.paths import LocalCloudError
from operations.exits import Exit, OperationFailed
from operations.workplace import LOCAL_ACCOUNT, Output, Workplace, is_ci

if TYPE_CHECKING:
    from local.engine import Project


class EngineLike(Protocol):
    """What a verb asks of an engine."""

    def preview(self, refresh: bool = False) -> Result:
        """What `up` would do."""
        ...

    def up(self, refresh: bool = False) -> Result:
        """Make what is declared exist; look at what really is first where ``refresh`` says so."""
        ...

    def refresh(self) -> Result:
        """Put what really is into the state."""
        ...

    def destroy(self) -> Result:
        """Delete everything in the state."""
        ...


@dataclass(frozen=True)
class Session:
    """An engine ready to run, and what was lost since the last run (one sentence each)."""

    engine: EngineLike
    losses: tuple[str, ...]
    lost_aws: bool = False


def check_configuration(place: Workplace) -> None:
    """Stop at a wrong stack file, before anything is created or started."""
    from components.config import ConfigurationError, load  # pydantic takes a while to import

    place.require_stack_file()
    try:
        load(place.stack_file)
    except ConfigurationError as wrong:
        raise OperationFailed.of_configuration(wrong) from wrong


def require_local_account(place: Workplace, verb: str) -> None:
    """Refuse to realise a stack here that is meant for a real cloud."""
    if allowed_accounts(load_project(place).config) == [LOCAL_ACCOUNT]:
        return
    raise OperationFailed(
        f"`aidc {verb}` realises data centres on this machine only, and the stack `{place.stack}` is not pinned to "
        f"the local account: aws:allowedAccountIds in {place.stack_file.name} is not [{LOCAL_ACCOUNT}].\n"
        f"For AWS run `pulumi {verb} --stack {place.stack}`; `aidc preview --stack {place.stack}` shows the plan "
        "offline.",
        Exit.CONFIGURATION,
    )


def require_state(place: Workplace, verb: str) -> None:
    """Stop where nothing of the stack was ever made: a cloud would be started for nothing, and stay."""
    if not open_store(place).exists():
        raise OperationFailed(f"The stack `{place.stack}` is not up: there is nothing to {verb}. `aidc up` makes it.")


def allowed_accounts(config: Mapping[str, str]) -> list[str]:
    """The accounts that the stack's AWS provider accepts; objects reach a program as JSON."""
    try:
        accounts = json.loads(config.get("aws:allowedAccountIds", "[]"))
    except ValueError:
        return []
    return [str(account) for account in accounts] if isinstance(accounts, list) else []


def load_project(place: Workplace) -> Project:
    """The project and its stack's values, as the CLI hands them to a program.

    Raises:
        OperationFailed: a file is missing, or is not what it should be.
        PassphraseError: a secret in it cannot be read.
    """
    from local.engine import load_project as load

    try:
        return load(place.checkout, place.stack)
    except PassphraseError:
        raise
    except LocalCloudError as problem:
        raise OperationFailed(str(problem), Exit.CONFIGURATION) from None


def ensure_cloud(place: Workplace, *, is_declared: bool) -> tuple[tuple[str, ...], bool]:
    """Start the local AWS and bring back what stopped; say what was lost, and whether AWS was among it.

    The control planes keep their objects on disk: they must run before anything can look at what really is.

    Args:
        is_declared: whether the state holds anything that could have been lost.
    """
    moto.ensure(place.root)
    losses: list[str] = []
    marker = moto.lost_marker(place.root)
    if not is_declared:
        marker.unlink(missing_ok=True)
        return (), False
    if marker.exists():
        losses.append("The local AWS (moto) had stopped and what it held is gone; it is rebuilt from the state.")
    for plane in control_plane.clusters(place.root):
        if missing := plane.missing():
            losses.append(f"The control plane of {plane.name} lost {', '.join(missing)}; it is brought back.")
            control_plane.ensure(place.root, plane.region, plane.name)
        carrier = nodes.of(plane)
        if dead := [spec.name for spec in carrier.list_nodes(plane) if not carrier.running(plane, spec.name)]:
            losses.append(
                f"Of the nodes of {plane.name}, {', '.join(dead)} had stopped or left it; an `up` brings them back."
            )
    others = [machine for machine in machines.list_machines(place.root) if not machine.nodegroup]
    if dead := [machine.name for machine in others if not machine.running]:
        losses.append(f"Of the machines that are no nodes, {', '.join(dead)} had stopped; an `up` brings them back.")
    return tuple(losses), marker.exists()


def open_store(place: Workplace) -> StateStore:
    """The stack's state, in the CLI's own format."""
    project = load_project(place)
    secrets = SecretsManager.of_environment(place.root.passphrase, project.encryption_salt)
    return StateStore(place.root.state, project.name, project.stack, secrets, place.tell)


@contextmanager
def session(place: Workplace, *, needs_cloud: bool) -> Iterator[Session]:
    """An engine for one verb.

    Raises:
        OperationFailed: the configuration is wrong.
        LocalCloudError: the local cloud or the state cannot be had.
    """
    from local.engine import Engine

    check_configuration(place)
    store = open_store(place)
    losses, lost_aws = ensure_cloud(place, is_declared=store.exists()) if needs_cloud else ((), False)
    for loss in losses:
        place.tell(loss)
    engine = Engine(load_project(place), store, providers(any_account=not needs_cloud), display(place))
    yield Session(engine, losses, lost_aws)


def providers(*, any_account: bool) -> dict[str, Callable[[], Any]]:
    """The local providers, made when the first resource of theirs is met; ``any_account`` for previews only."""

    def aws() -> Any:
        from local.aws.provider import AwsProvider

        return AwsProvider(any_account=any_account)

    def kubernetes() -> Any:
        from local.kubernetes.provider import KubernetesProvider

        return KubernetesProvider()

    def gcp() -> Any:
        from components.google_sdk import why_missing
        from local.engine.calls import ProviderFailure

        if why := why_missing("What the stack has in Google Cloud"):
            raise ProviderFailure(why)
        from local.gcp.provider import GcpProvider

        return GcpProvider()

    return {"aws": aws, "kubernetes": kubernetes, "gcp": gcp}


def display(place: Workplace) -> Display:
    """A live tree where somebody watches, lines elsewhere; on stderr either way."""
    from local.engine import PlainDisplay, TreeDisplay

    if sys.stderr.isatty() and place.output is Output.TEXT and not is_ci():
        return TreeDisplay(place.progress())
    return PlainDisplay(sys.stderr)
