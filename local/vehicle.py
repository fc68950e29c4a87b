"""What nodes are in one data root, processes or machines: chosen at its first use, and the same ever after."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from local.addresses import LOOPBACK, key_of, server_candidates
from local.files import write_atomically
from local.iproute import addresses, ip
from local.paths import CHECKOUT, DataRoot, LocalCloudError, cache_root
from local.podman import PREFIX
from local.processes import lock
from setup import images, setback
from setup.host import MACHINES, NODES, PROCESSES, Host, check_choice

FILE = "nodes.json"


@dataclass(frozen=True)
class Vehicle:
    """What carries the nodes of a data root.

    Attributes:
        kind: ``processes`` or ``machines``.
        reason: why they are processes; empty for machines.
        address: at which the data root's API servers and its AWS listen, the same for its life.
    """

    kind: str
    reason: str
    address: str

    @property
    def is_machines(self) -> bool:
        """Whether nodes are machines."""
        return self.kind == MACHINES

    def sentence(self) -> str:
        """For the summary."""
        return "they are machines" if self.is_machines else f"they are processes: {self.reason}"


def of(root: DataRoot) -> Vehicle:
    """The data root's; chosen and written down where it has none yet. The address of machines' servers is made usable.

    Raises:
        LocalCloudError: the environment asks for what cannot be, or for another than the data root has.
    """
    vehicle = recorded(root) or _choose_once(root)
    _require_as_asked(root, vehicle)
    if vehicle.is_machines:
        ensure_server_address(root, vehicle.address)
    return vehicle


def recorded(root: DataRoot) -> Vehicle | None:
    """The data root's, without choosing or making anything."""
    try:
        return Vehicle(**json.loads((root.path / FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def interface(root: DataRoot) -> str:
    """The interface of this host that carries the data root's address."""
    return f"{PREFIX}{key_of(root.path)}"


def ensure_server_address(root: DataRoot, address: str) -> None:
    """Let the address exist on this host: a bridge that nothing is attached to carries it. A reboot takes it away."""
    name = interface(root)
    if not ip("-o", "-4", "address", "show", "dev", name).count(f"{address}/"):
        ip("link", "add", name, "type", "bridge")
        ip("address", "add", f"{address}/32", "dev", name)
        ip("link", "set", name, "up")
        if not ip("-o", "-4", "address", "show", "dev", name).count(f"{address}/"):
            raise LocalCloudError(
                f"The address {address} of this data centre's servers cannot be put on an interface {name}: "
                f"`ip link add {name} type bridge` says why."
            )


def remove_server_address(root: DataRoot) -> None:
    """Remove the interface, if there is one."""
    ip("link", "delete", interface(root))


def host_addresses() -> set[str]:
    """All IPv4 addresses of this host."""
    return set(addresses())


def _choose_once(root: DataRoot) -> Vehicle:
    with lock(root.path / f".{FILE}.lock"):
        vehicle = recorded(root)
        if vehicle is None:
            vehicle = choose(root, Host.here())
            write_atomically(root.path / FILE, json.dumps(asdict(vehicle), indent=1) + "\n")
        return vehicle


def choose(root: DataRoot, host: Host) -> Vehicle:
    """Machines where they can run, else processes with the reason."""
    if problem := check_choice(host.wanted):
        raise LocalCloudError(problem)
    processes = Vehicle(PROCESSES, "", LOOPBACK)
    if root.clusters.is_dir() or root.moto.is_dir():
        return replace(processes, reason="this data centre was made with process nodes")
    if (reason := obstacle(host)) is None:
        return Vehicle(MACHINES, "", _free_address(root))
    if host.wanted == MACHINES:
        raise LocalCloudError(f"{NODES}={MACHINES}, but nodes cannot be machines here: {reason}.")
    return replace(processes, reason=reason)


def obstacle(host: Host) -> str | None:
    """Why nodes cannot be machines on this host now; None where they can."""
    if (refusal := host.refusal() or images.refusal(CHECKOUT, cache_root())) is not None:
        return refusal
    missing = host.obstacle() or _unmade()
    before = setback.recall(cache_root())  # why what is missing could not be made
    return before.reason if missing and before else missing


def _unmade() -> str | None:
    steps = (images.machine_image(CHECKOUT), images.workload_store(CHECKOUT))
    missing = [step.name for step in steps if not step.is_done(cache_root())]
    return f"their images are not made ({', '.join(missing)}; `make setup-machines` does it)" if missing else None


def _free_address(root: DataRoot) -> str:
    taken = host_addresses()
    return next(address for address in server_candidates(str(root.path)) if address not in taken)


def _require_as_asked(root: DataRoot, vehicle: Vehicle) -> None:
    wanted = Host.here().wanted
    if wanted and wanted != vehicle.kind:
        raise LocalCloudError(
            check_choice(wanted)
            or f"{NODES} asks for {wanted}, but the nodes of the data centre in {root.path} are {vehicle.kind}. "
            "They cannot change while it stands: run `make down` first."
        )
