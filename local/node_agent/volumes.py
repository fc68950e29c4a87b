"""Volumes of a process: files in its pod's folder, for a process has the host's file system and no mounts.

A process finds them by a variable: one whose value is the path of the mount, or a path below it, gets the folder's.
They are made at each start of the container, and not renewed while it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.files import write_atomically
from local.node_agent.mapping import CannotRun, Lookup, is_below, projected

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Cluster:
    """What pods are given of their cluster.

    Attributes:
        host, port: the API server's, as every container is told.
        lookup: config maps and secrets of the pod's namespace.
        token: a token of the pod's account, for the pod and one source of a projected volume.
    """

    host: str
    port: int
    lookup: Lookup
    token: Callable[[Json, Json], str]

    def environment(self) -> dict[str, str]:
        """The variables by which clients find the API server."""
        return {"KUBERNETES_SERVICE_HOST": self.host, "KUBERNETES_SERVICE_PORT": str(self.port)}


def provide(pod: Json, container: Json, env: Mapping[str, str], folder: Path, cluster: Cluster) -> dict[str, str]:
    """Write the container's projected volumes below ``folder``; the variables, with the files' real places.

    Raises:
        CannotRun: a config map or a key of it is missing, or the API server gives no token.
    """
    told = dict(env)
    for volume, path in projected(pod, container):
        place = folder / "volumes" / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        for source in volume["projected"]["sources"]:
            for name, content in _files(pod, source, cluster).items():
                write_atomically(place / name, content, 0o600)
        for name, value in told.items():
            if is_below(value, path):
                told[name] = f"{place}{value[len(path) :]}"
    return told


def _files(pod: Json, source: Json, cluster: Cluster) -> dict[str, str]:
    if token := source.get("serviceAccountToken"):
        return {token["path"]: cluster.token(pod, token)}
    wanted = source["configMap"]
    data = cluster.lookup("configmaps", wanted["name"])
    if data is None:
        raise CannotRun("CreateContainerConfigError", f"configmap {wanted['name']!r} not found")
    items = wanted.get("items") or [{"key": key, "path": key} for key in data]
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing:
        raise CannotRun("CreateContainerConfigError", f"configmap {wanted['name']!r} has no key {missing[0]!r}")
    return {item["path"]: data[item["key"]] for item in items}
