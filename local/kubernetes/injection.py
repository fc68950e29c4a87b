"""What pods are told about their cloud when their manifest is applied, as the cloud's own identity webhooks do.

Injected values are in no program and in no inputs, so that they never show as a change.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local import moto
from local.control_plane import ControlPlane
from local.files import write_atomically
from local.kubernetes.tokens import ObjectId
from local.node_agent.mapping import is_workload
from local.paths import JAX_CACHE, DataRoot, cache_root
from local.processes import free_port, lock
from local.provider import Values

COORDINATOR = "JAX_COORDINATOR_ADDRESS"
JAX_CACHE_VOLUME = "ai-datacenter-jax-cache"
EMULATED_DEVICES = "EMULATED_DEVICES"
"""The variable that says how many devices of JAX on CPUs stand in for the accelerators that a container asks for."""

_CHIPS = ("nvidia.com/gpu", "aws.amazon.com/neuron", "google.com/tpu")
_NOT_HERE = (*_CHIPS, "vpc.amazonaws.com/efa", "hugepages-2Mi")
"""What no node of this machine has, whatever its type declares."""

_PORTS_FILE = "coordinators.json"


@dataclass(frozen=True)
class Injection:
    """What pods get besides what they declare.

    Attributes:
        added: environment variables, where a container has none of that name.
        forced: environment variables, where a container declares one of that name.
        folders: the machine's folders that workload containers see, by the name of their volume; at the same path.
    """

    added: Mapping[str, str]
    forced: Mapping[str, str]
    folders: Mapping[str, str] = field(default_factory=dict)


def for_object(root: DataRoot, plane: ControlPlane, manifest: Mapping[str, Any]) -> Injection:
    """What the pods of a manifest are told on the nodes of that cluster."""
    on_machines = plane.network is not None
    added = {"AWS_REGION": plane.region, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    # As a shared volume would keep it for the nodes.
    added["JAX_COMPILATION_CACHE_DIR"] = JAX_CACHE if on_machines else str(cache_root() / "jax")
    if (server := moto.running(root)) is not None:
        added["AWS_ENDPOINT_URL"] = server.endpoint_url
    if devices := max((_devices(container) for container in _workload_containers(manifest)), default=0):
        added |= {"JAX_PLATFORMS": "cpu", EMULATED_DEVICES: str(devices)}
    if on_machines:  # names resolve on them
        # What runs by schedule trains nothing, and its namespace may forbid folders of the machine.
        trains = manifest.get("kind") != "CronJob" and bool(workload_images(manifest))
        return Injection(added, {}, {JAX_CACHE_VOLUME: JAX_CACHE} if trains else {})
    forced: dict[str, str] = {}
    if manifest.get("kind") == "Job" and any(_declares(container, COORDINATOR) for container in containers(manifest)):
        forced[COORDINATOR] = coordinator_address(root, plane, ObjectId.of_manifest(manifest))
    return Injection(added, forced)


def inject(manifest: Mapping[str, Any], injection: Injection) -> Values:
    """The manifest with the injected variables in every container of its pods; the same where it has no pods.

    The workload asks for no accelerator, fabric adapter or huge page here: it would wait for a node that has them.
    """
    injected = copy.deepcopy(dict(manifest))
    for container in containers(injected):
        container["env"] = _merged(container.get("env") or [], injection)
    for container in _workload_containers(injected):
        for kind in ("requests", "limits"):
            for name in _NOT_HERE:
                (_field(container.get("resources"), kind) or {}).pop(name, None)
    if injection.folders:
        _mount(injected, injection.folders)
    return injected


def workload_images(manifest: Mapping[str, Any]) -> set[str]:
    """The names under which the pods of a manifest ask for the workload's image."""
    return {str(container["image"]) for container in _workload_containers(manifest)}


def volumes(injection: Injection, namespace: str, namespace_uid: str) -> Iterator[Values]:
    """What has to be there for the pods of a namespace to see the folders: a volume each, and its claim.

    By claim, for a pod that names a folder of its host is refused where a namespace holds its pods to the Pod Security
    Standards. The volume is that very namespace's: another one of the same name could not claim it again.
    """
    for name, path in injection.folders.items():
        bound = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        volume = f"{name}-{namespace_uid}"
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                **bound,
                "capacity": {"storage": "1Gi"},
                "claimRef": {**claim, "name": name, "namespace": namespace},
                "hostPath": {"path": path, "type": "Directory"},
                "persistentVolumeReclaimPolicy": "Retain",
            },
        }
        spec = {**bound, "volumeName": volume, "resources": {"requests": {"storage": "1Gi"}}}
        yield {**claim, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def as_before(manifest: Mapping[str, Any], live: Mapping[str, Any], injection: Injection) -> Injection:
    """The injection with the values that a live object already has: a Job's pods cannot be told anything new."""
    if manifest.get("kind") != "Job":
        return injection
    told = {
        str(variable["name"]): str(variable["value"])
        for container in containers(live)
        for variable in container.get("env") or []
        if "value" in variable
    }
    mounted = {volume.get("name") for volume in _field(_pod(live), "volumes") or []}
    return Injection(
        {name: told[name] for name in injection.added if name in told},
        {name: told.get(name, value) for name, value in injection.forced.items()},
        {name: path for name, path in injection.folders.items() if name in mounted},
    )


def containers(manifest: Mapping[str, Any]) -> Iterator[Values]:
    """The containers, and init containers, of the pods that a manifest makes."""
    spec = _pod(manifest)
    for kind in ("initContainers", "containers"):
        items = _field(spec, kind)
        if isinstance(items, list):
            yield from (cast(Values, item) for item in cast(list[Any], items) if isinstance(item, dict))


def _workload_containers(manifest: Mapping[str, Any]) -> Iterator[Values]:
    return (container for container in containers(manifest) if is_workload(str(container.get("image") or "")))


def _chips(container: Mapping[str, Any]) -> int:
    """The accelerators that a container asks for."""
    limits = _field(container.get("resources"), "limits") or {}
    return max((int(limits[name]) for name in _CHIPS if name in limits), default=0)


def _devices(container: Mapping[str, Any]) -> int:
    """The devices that JAX is to show in place of them: as many as the job is told, which are two for a TPU7x."""
    told = (one.get("value") for one in container.get("env") or [] if one.get("name") == "ACCELERATOR")
    chips = _chips(container)
    return int(json.loads(next(told, None) or "{}").get("chips") or chips) if chips else 0


def coordinator_address(root: DataRoot, plane: ControlPlane, job: ObjectId) -> str:
    """Where the processes of a Job meet: process nodes share this machine's network, and no name resolves on it.

    The port is free when it is first asked for, stays the Job's, and no other Job of any cluster here has it.
    """
    with lock(root.path / ".coordinators.lock"):
        ports = _ports(plane.folder / _PORTS_FILE)
        if str(job) not in ports:
            taken = {port for path in root.clusters.glob(f"*/{_PORTS_FILE}") for port in _ports(path).values()}
            ports[str(job)] = free_port(taken)
            write_atomically(plane.folder / _PORTS_FILE, json.dumps(ports, indent=1) + "\n")
        return f"127.0.0.1:{ports[str(job)]}"


def release(root: DataRoot, plane: ControlPlane, job: ObjectId) -> None:
    """Give a removed Job's port back."""
    path = plane.folder / _PORTS_FILE
    if str(job) not in _ports(path):
        return
    with lock(root.path / ".coordinators.lock"):
        ports = _ports(path)
        ports.pop(str(job), None)
        write_atomically(path, json.dumps(ports, indent=1) + "\n")


def _merged(declared: list[Values], injection: Injection) -> list[Values]:
    kept = [
        {"name": variable["name"], "value": injection.forced[variable["name"]]}
        if variable.get("name") in injection.forced
        else variable
        for variable in declared
    ]
    names = {variable.get("name") for variable in declared}
    return kept + [{"name": name, "value": value} for name, value in injection.added.items() if name not in names]


def _pod(manifest: Mapping[str, Any]) -> Any:
    """The specification of the pods that a manifest makes; None where it makes none."""
    spec: Any = manifest.get("spec")
    if manifest.get("kind") == "CronJob":
        spec = _field(_field(spec, "jobTemplate"), "spec")
    return spec if manifest.get("kind") == "Pod" else _field(_field(spec, "template"), "spec")


def _mount(manifest: Values, folders: Mapping[str, str]) -> None:
    spec = _pod(manifest)
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in folders]
    spec["volumes"] = [*(spec.get("volumes") or []), *claimed]
    for container in containers(manifest):
        if is_workload(str(container.get("image") or "")):
            mounts = [{"name": name, "mountPath": path} for name, path in folders.items()]
            container["volumeMounts"] = [*(container.get("volumeMounts") or []), *mounts]


def _declares(container: Values, variable: str) -> bool:
    return any(one.get("name") == variable for one in container.get("env") or [])


def _field(value: Any, name: str) -> Any:
    return cast(Values, value).get(name) if isinstance(value, dict) else None


def _ports(path: Path) -> dict[str, int]:
    try:
        return {str(job): int(port) for job, port in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
