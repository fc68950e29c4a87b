"""Associations of Systems Manager performed on this machine: the nodes that are machines get the declared playbooks.

What is run is what was declared: the archive is fetched from the bucket that the association names, as a node's agent
does, and given to Ansible. Nodes that are processes have nothing to configure.

Machines that are no nodes, such as the one with Prometheus, are told of the nodes: the inventory of each run holds the
whole cluster, and the run is limited to those whom the association concerns. When nodes come or go, what was told
before is told anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local import moto
from local.associations import DOCUMENT, Association, archive, associations, variables_of
from local.aws.cloud import Account
from local.files import write_atomically
from local.machines import Machine, list_machines
from local.paths import DataRoot, LocalCloudError
from local.processes import lock as lock_file
from playbooks.inventory import Host, Inventory
from playbooks.lock import Lock
from playbooks.results import ConvergeError, Convergence
from playbooks.runner import converge

INSTANCES = "_instances"
"""The group of a cluster's machines that are no nodes: no node group can have this name."""
NODES, MONITORING = "nodes", "monitoring"
"""Groups of the inventory. A machine that is no node is of the second by its tag."""
_MONITORING_TAG = "ai-datacenter:monitoring"
_AWS_VARIABLE = "prometheus_aws_environment"  # of the one role that asks AWS for something
_WAIT_S = 1800.0
_TOLD = "told-of-nodes"


@dataclass(frozen=True)
class Group:
    """A node group, or a cluster's machines that are no nodes.

    Groups settle at the same time, and each configures its own machines and no others.
    """

    region: str
    cluster: str
    name: str

    def has(self, machine: Machine) -> bool:
        """Whether the machine is one of its own."""
        group = machine.nodegroup or INSTANCES
        return (machine.region, machine.cluster, group) == (self.region, self.cluster, self.name)


def configure(root: DataRoot, association: Association, among: Iterable[Machine] | None = None) -> Convergence | None:
    """Apply an association to the machines that run and that it concerns.

    Args:
        among: these machines only; ``None``: all.

    Returns:
        What was done; ``None`` where there is nothing to do, for nodes are processes or the document is another.

    Raises:
        LocalCloudError: a machine could not be configured; the others were.
    """
    if association.document != DOCUMENT:
        return None
    candidates = list_machines(root) if among is None else among
    machines = [machine for machine in candidates if machine.running and association.concerns(machine)]
    if not machines:
        return None
    return _perform(root, association, machines)


def expect(root: DataRoot, group: Group, names: Iterable[str]) -> None:
    """Note that machines are about to join: a run that is killed before it has configured them is made good later."""
    for name in names:
        write_atomically(_expected(root, group) / name, "")


def configure_joined(root: DataRoot, group: Group, names: Iterable[str]) -> None:
    """Apply every association that concerns them to a group's machines that have just joined, and to no others.

    Those of the group that were expected or have failed before, and have not been configured since, are taken along.
    One that does not run stays expected; one that is gone is not expected any more.

    Raises:
        LocalCloudError: one could not be configured; the others were.
    """
    expect(root, group, names)
    waiting = {path.name for path in _expected(root, group).glob("[!.]*")}
    if not waiting:
        return
    machines = [machine for machine in list_machines(root) if group.has(machine) and machine.name in waiting]
    for association in associations(root):
        configure(root, association, machines)
    for name in waiting - {machine.name for machine in machines if not machine.running}:
        (_expected(root, group) / name).unlink(missing_ok=True)


def tell_of_nodes(root: DataRoot, region: str, cluster: str) -> None:
    """Apply anew what a cluster's machines that are no nodes were told, where its nodes are others now.

    Raises:
        LocalCloudError: one could not be told; the next call tells it.
    """
    with lock_file(root.path / f".{_TOLD}.lock"):  # or an older list could go over a newer one
        known = associations(root)
        found = list_machines(root) if known else []
        machines = [one for one in found if (one.region, one.cluster) == (region, cluster)]
        for association in known:
            told = [one for one in machines if not one.nodegroup and one.running and association.concerns(one)]
            if told and association.document == DOCUMENT and _told(root, association) != _addresses(machines):
                _perform(root, association, told)


def forget(root: DataRoot, group: Group) -> None:
    """Expect no machine of a group any more."""
    shutil.rmtree(_expected(root, group), ignore_errors=True)


def _expected(root: DataRoot, group: Group) -> Path:
    return root.path / "unconfigured" / group.region / group.cluster / group.name


def inventory(machines: Iterable[Machine], variables: Mapping[str, Any] | None = None) -> Inventory:
    """The machines as the runner takes them: each is entered with its cluster's key and known by its own."""
    hosts = tuple(
        Host(
            name=machine.name, address=machine.address, key_file=machine.ssh_key, host_key=machine.host_key,
            groups=groups_of(machine),
        )
        for machine in machines
    )  # fmt: skip
    return Inventory(hosts=hosts, variables=variables or {})


def groups_of(machine: Machine) -> tuple[str, ...]:
    """The groups of the inventory that a machine is in."""
    if machine.nodegroup:
        return (NODES, machine.nodegroup.replace("-", "_"))
    return (MONITORING,) if _MONITORING_TAG in machine.tags else ()


def as_declared(root: DataRoot, machines: Iterable[Machine]) -> Inventory:
    """The machines, each with the variables that its associations give it."""
    machines, known = list(machines), associations(root)
    given = {
        machine.name: {
            name: value
            for association in known
            if association.document == DOCUMENT and association.concerns(machine)
            for name, value in _variables(root, association).items()
        }
        for machine in machines
    }
    plain = inventory(machines)
    return replace(plain, hosts=tuple(replace(host, variables=given[host.name]) for host in plain.hosts))


def lock(root: DataRoot, purpose: str, wait_s: float = 0.0) -> Lock:
    """The lock of everybody who configures machines of this data root."""
    return Lock(root.path / "configuration.lock", purpose, wait_s)


# -- performing -------------------------------------------------------------------------------------------------------


def _perform(root: DataRoot, association: Association, machines: list[Machine]) -> Convergence:
    given = association.parameters
    variables = _variables(root, association)
    clusters = {(machine.region, machine.cluster) for machine in machines}
    everyone = [one for one in list_machines(root) if (one.region, one.cluster) in clusters]
    try:
        done = converge(
            inventory(everyone, variables),
            limit=tuple(machine.name for machine in machines),
            check=given.get("Check") == "True",
            project=archive(Account(root).at(association.region), association),
            playbook=given.get("PlaybookFile", ""),
            lock=lock(root, f"applying the association {association.name}", _WAIT_S),
        )
    except ConvergeError as error:
        raise LocalCloudError(f"the association {association.name} could not be applied: {error}") from None
    if done.succeeded:
        if not all(machine.nodegroup for machine in machines):
            write_atomically(_told_file(root, association), json.dumps(_addresses(everyone)))
        return done
    failures = "\n".join(map(str, done.failures))
    raise LocalCloudError(
        f"the association {association.name} failed on {len(done.failures)} of {len(done.hosts)} machines:\n{failures}"
    )


def _variables(root: DataRoot, association: Association) -> dict[str, Any]:
    """What the association gives, and where its machines find AWS, as pods are told too: they have no role of IAM's."""
    server = moto.running(root)
    if server is None:
        return {**variables_of(association)}
    found = {"AWS_ENDPOINT_URL": server.endpoint_url}
    found |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return {**variables_of(association), _AWS_VARIABLE: found}


def _addresses(machines: Iterable[Machine]) -> dict[str, str]:
    """The nodes among the machines, running or not, by name."""
    return {machine.name: machine.address for machine in machines if machine.nodegroup}


def _told(root: DataRoot, association: Association) -> dict[str, str] | None:
    """The nodes that were known when the association was last applied to machines that are none."""
    try:
        return json.loads(_told_file(root, association).read_text())
    except (OSError, ValueError):
        return None


def _told_file(root: DataRoot, association: Association) -> Path:
    return root.path / _TOLD / f"{association.id}.json"
