"""One cluster's control plane: ensured, found by its endpoint, stopped and removed."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import networks, vehicle
from local.addresses import ClusterNetwork
from local.control_plane import ports
from local.control_plane.certificates import KeyPair, ensure_client
from local.control_plane.components import (
    API_SERVER,
    COMPONENTS,
    FOLLOWERS,
    STORE,
    Component,
    Setting,
    ensure_certificates,
)
from local.files import write_atomically
from local.kube_api import ApiError, Credentials, KubeApi, Unreachable
from local.paths import DataRoot, LocalCloudError, binary
from local.processes import RECORD_SUFFIX, ProcessRecord, lock, running, spawn, stop, stop_under, tail

READY_TIMEOUT_S = 120.0
"""Seconds. Seen: 8 s on two shared cores, 18 s on two with a load of 13; several times that is a fault."""


@dataclass(frozen=True)
class ControlPlane:
    """A cluster's control plane, running or not; everything it has lies in ``folder``."""

    region: str
    name: str
    folder: Path
    place: ports.Place

    @property
    def endpoint(self) -> str:
        """The API server's address, the same for the life of the cluster."""
        return self.place.endpoint

    @property
    def network(self) -> ClusterNetwork | None:
        """What its machines and their pods are on; None where nodes are processes, or before it was made."""
        return networks.recorded(self.folder)

    @property
    def ca_pem(self) -> str:
        """The certificate of the cluster's authority."""
        return self._pair("ca").certificate.read_text()

    @property
    def nodes_folder(self) -> Path:
        """One folder a node."""
        return self.folder / "nodes"

    def log(self, component: str) -> Path:
        """The log of ``etcd``, ``kube-apiserver``, ``kube-controller-manager`` or ``kube-scheduler``."""
        return self.folder / "logs" / f"{component}.log"

    def credentials(self) -> Credentials:
        """The administrator's."""
        return self._credentials(self._pair("admin"))

    def api(self, timeout_s: float = 10.0) -> KubeApi:
        """A client as the administrator."""
        return KubeApi(self.credentials(), timeout_s)

    def node_credentials(self, node: str) -> Credentials:
        """Those of one node: the API server lets it touch only itself and its pods. Made when first asked for."""
        certs = self.nodes_folder / node / "certs"
        return self._credentials(
            ensure_client(certs, self._pair("ca"), "node", f"system:node:{node}", ["system:nodes"])
        )

    def client_credentials(self, file: str, user: str, groups: Sequence[str] = ()) -> Credentials:
        """Those of a program that runs on nodes. Made when first asked for."""
        return self._credentials(ensure_client(self.folder / "certs", self._pair("ca"), file, user, groups))

    def admin_kubeconfig(self) -> dict[str, Any]:
        """A kubeconfig with the administrator's certificate inside."""
        return kubeconfig(self.credentials())

    def missing(self) -> list[str]:
        """The components that do not run."""
        return [component.name for component in COMPONENTS if running(self._record(component)) is None]

    def running(self) -> bool:
        """Whether all four components run and the API server says that it is ready."""
        return not self.missing() and self._is_ready()

    def stop(self) -> None:
        """Stop the components, in the order that lets each finish its last requests; the data stays."""
        with lock(self._lock):
            for group in (FOLLOWERS, (API_SERVER,), (STORE,)):
                records = [ProcessRecord.read(self._record(component)) for component in group]
                stop(*(record for record in records if record))
                for component in group:
                    self._record(component).unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop the components, remove every node and pod of the cluster, its network and all its files."""
        with lock(self._lock):
            stop_under(self.nodes_folder)
            if self.network is not None:
                networks.remove(networks.name_of(self.folder))
            stop_under(self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._lock.unlink(missing_ok=True)

    @property
    def _lock(self) -> Path:
        return self.folder.with_name(f".{self.folder.name}.lock")  # outside the folder that it guards

    def _pair(self, name: str) -> KeyPair:
        return KeyPair.named(self.folder / "certs", name)

    def _credentials(self, pair: KeyPair) -> Credentials:
        return Credentials(self.endpoint, self._pair("ca").certificate, pair.certificate, pair.key)

    def _record(self, component: Component) -> Path:
        return self.folder / f"{component.name}{RECORD_SUFFIX}"

    def _is_ready(self) -> bool:
        try:
            return self.api(2.0).text("/readyz") == "ok"
        except (Unreachable, OSError):
            return False

    def _ensure_running(self) -> None:
        """Bring up what is missing: a cluster that runs costs two requests."""
        setting = self._prepare()
        if running(self._record(API_SERVER)) is None:
            ports.require_free(self.folder, self.place)
        first = (STORE, API_SERVER)
        for component in first:
            self._start(component, setting)
        # The followers end when the API server does not answer at first: they start when it is ready.
        self._await(self._is_ready, "is ready", first)
        for component in FOLLOWERS:
            self._start(component, setting)
        self._await(self._has_defaults, "has its default namespace and service account", COMPONENTS)

    def _prepare(self) -> Setting:
        setting = ensure_certificates(self.folder, self.place, self.network)
        for component in FOLLOWERS:
            pair = self._pair(component.name)
            content = _to_json(kubeconfig(self._credentials(pair)))
            path = self.folder / "certs" / f"{component.name}.kubeconfig"
            if not path.exists() or path.read_text() != content:
                write_atomically(path, content, 0o600)
        return setting

    def _start(self, component: Component, setting: Setting) -> None:
        if running(self._record(component)) is None:
            spawn(
                [binary(component.name), *component.arguments(setting)],
                record=self._record(component),
                log=self.log(component.name),
                cwd=self.folder,
                env=component.environment(),
            )

    def _has_defaults(self) -> bool:
        try:
            api = self.api()
            return all(
                api.find(f"/api/v1/namespaces/default{rest}") is not None for rest in ("", "/serviceaccounts/default")
            )
        except (ApiError, Unreachable):
            return False

    def _await(self, condition: Callable[[], bool], what: str, started: Sequence[Component]) -> None:
        """Wait for ``condition``; an end of what was ``started`` for it is a failure at once."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not condition():
            dead = [component.name for component in started if running(self._record(component)) is None]
            if dead or time.monotonic() > deadline:
                raise self._failure(what, dead)
            time.sleep(0.05)

    def _failure(self, what: str, dead: list[str]) -> LocalCloudError:
        if not dead:
            return LocalCloudError(
                f"The control plane of {self.name} in {self.region} runs, but after {READY_TIMEOUT_S:.0f} s it cannot "
                f"be said that it {what}. Its logs are in {self.folder / 'logs'}; on a busy machine, run again."
            )
        name = dead[0]
        if name == API_SERVER.name:
            ports.require_free(self.folder, self.place)
        return LocalCloudError(
            f"{name} of the cluster {self.name} in {self.region} ended while it started. "
            f"The end of {self.log(name)}:\n{tail(self.log(name))}\n"
            "Run again; if it fails the same way, `make down` removes the cluster's data and `make up` makes it anew."
        )


def ensure(root: DataRoot, region: str, name: str) -> ControlPlane:
    """The cluster's control plane, running: what exists is kept, what has died is started, what is missing is made.

    Callers at the same time wait for one another. A run killed at any moment is finished by the next.

    Raises:
        LocalCloudError: a binary is missing, the port is held by a stranger, or a component does not come up.
    """
    chosen = vehicle.of(root)
    folder = root.cluster(region, name)
    for component in COMPONENTS:
        binary(component.name)
    with lock(folder.with_name(f".{folder.name}.lock")):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if chosen.is_machines:
            networks.ensure(root, folder)
        plane = ControlPlane(region, name, folder, ports.ensure(folder, chosen.address))
        plane._ensure_running()
        return plane


def clusters(root: DataRoot) -> list[ControlPlane]:
    """The clusters that have a folder here, running or not."""
    if not root.clusters.is_dir():
        return []
    found: list[ControlPlane] = []
    for folder in sorted(root.clusters.iterdir()):
        region, separator, name = folder.name.partition(".")
        place = ports.recorded(folder) if folder.is_dir() else None
        if separator and region and place is not None:
            found.append(ControlPlane(region, name, folder, place))
    return found


def by_endpoint(root: DataRoot, endpoint: str) -> ControlPlane | None:
    """The cluster whose API server has that address: how a provider finds the credentials for an exec kubeconfig."""
    return next((plane for plane in clusters(root) if plane.endpoint == endpoint.rstrip("/")), None)


def kubeconfig(credentials: Credentials) -> dict[str, Any]:
    """A kubeconfig with everything inside, so that it may be moved and handed over as one string."""
    cluster = {"server": credentials.endpoint, "certificate-authority-data": _base64(credentials.ca)}
    user = {
        "client-certificate-data": _base64(credentials.certificate),
        "client-key-data": _base64(credentials.key),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": cluster}],
        "users": [{"name": "local", "user": user}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
        "current-context": "local",
    }


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _to_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"  # YAML is a superset of it
