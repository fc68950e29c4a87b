"""The four programs of a control plane: their arguments, environment and order.

Choices that differ from a data centre's, because this is one small machine and a throwaway:

- etcd listens on unix sockets in the cluster's own folder (mode 0700): no ports, and no other user can read it.
- etcd runs with ``--unsafe-no-fsync``. What it wrote is in the kernel's page cache and so survives a SIGKILL of any
  process; only a crash of the whole machine can lose it, and then `ensure` sees an etcd that does not start and says
  how to begin anew. Without the flag each write waits for the disk, up to 10 ms on a shared one.
- One instance of everything: no leader election, which would cost 15 s at every restart after a kill.
- GOMEMLIMIT and few parallel collector threads keep the sum near 500 MB.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.addresses import NODE_PREFIX, ClusterNetwork
from local.control_plane.certificates import (
    KeyPair,
    ensure_authority,
    ensure_client,
    ensure_server,
    ensure_signing_key,
)
from local.control_plane.ports import Place

SERVICE_RANGE = "10.96.0.0/16"
KUBELET_CLIENT = "kube-apiserver-kubelet-client"
"""The user as whom the API server asks kubelets for logs."""
ETCD_SOCKET = "unix://etcd:0"
"""A path relative to the folder that both programs run in: an absolute one may pass the 108 bytes of a socket's."""


@dataclass(frozen=True)
class Setting:
    """What the programs' arguments are made of. ``ca``, ``server``, … are pairs in ``certs/``."""

    folder: Path
    place: Place
    network: ClusterNetwork | None
    ca: KeyPair
    server: KeyPair
    kubelet_client: KeyPair
    signing_key: Path


@dataclass(frozen=True)
class Component:
    """One program: its binary's name, its arguments and the memory in MiB that its collector aims to stay under."""

    name: str
    arguments: Callable[[Setting], list[str]]
    memory_mib: int

    def environment(self) -> dict[str, str]:
        """Little of the caller's environment: no proxy, no credentials."""
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": "/nonexistent",
            "GOMEMLIMIT": f"{self.memory_mib}MiB",
        }


def ensure_certificates(folder: Path, place: Place, network: ClusterNetwork | None) -> Setting:
    """Make what is missing of a cluster's certificates and kubeconfigs."""
    certs = folder / "certs"
    authority = ensure_authority(certs)
    server = ensure_server(certs, authority, place.address)
    kubelet_client = ensure_client(certs, authority, "kubelet-client", KUBELET_CLIENT)
    setting = Setting(folder, place, network, authority, server, kubelet_client, ensure_signing_key(certs))
    ensure_client(certs, authority, "admin", "ai-datacenter-admin", ["system:masters"])
    for user in ("kube-controller-manager", "kube-scheduler"):
        ensure_client(certs, authority, user, f"system:{user}")
    return setting


def etcd(setting: Setting) -> list[str]:
    """Arguments of etcd: one member, at most 512 MiB."""
    return [
        "--name=local",
        "--data-dir=etcd-data",
        f"--listen-client-urls={ETCD_SOCKET}",
        f"--advertise-client-urls={ETCD_SOCKET}",
        "--listen-peer-urls=unix://etcd-peer:0",
        "--initial-advertise-peer-urls=unix://etcd-peer:0",
        "--initial-cluster=local=unix://etcd-peer:0",
        f"--quota-backend-bytes={512 * 2**20}",
        "--snapshot-count=5000",
        "--heartbeat-interval=100",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(setting: Setting) -> list[str]:
    """Arguments of the API server: node authorisation and restriction as in a real cluster."""
    return [
        f"--etcd-servers={ETCD_SOCKET}",
        f"--bind-address={setting.place.address}",
        f"--advertise-address={setting.place.address}",
        # A loopback address cannot be published as the endpoint of the service `kubernetes`.
        f"--endpoint-reconciler-type={'none' if setting.network is None else 'lease'}",
        f"--secure-port={setting.place.port}",
        f"--tls-cert-file={setting.server.certificate}",
        f"--tls-private-key-file={setting.server.key}",
        f"--client-ca-file={setting.ca.certificate}",
        "--anonymous-auth=false",
        "--allow-privileged=true",  # as EKS does: device plugins of fabrics are
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth=true",  # how machines join
        f"--kubelet-client-certificate={setting.kubelet_client.certificate}",
        f"--kubelet-client-key={setting.kubelet_client.key}",
        "--kubelet-preferred-address-types=InternalIP",  # a machine's name resolves on no other host
        f"--service-account-key-file={setting.signing_key}",
        f"--service-account-signing-key-file={setting.signing_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--profiling=false",
        "--shutdown-send-retry-after=false",
    ]


def controller_manager(setting: Setting) -> list[str]:
    """Arguments of the controller manager: it signs tokens and joining machines' certificates, and serves nothing."""
    return [
        *_node_addresses(setting.network),
        "--node-monitor-grace-period=30s",  # three missed heartbeats: a node that is gone is seen within a minute
        f"--cluster-signing-cert-file={setting.ca.certificate}",
        f"--cluster-signing-key-file={setting.ca.key}",
        "--controllers=*,token-cleaner-controller",
        f"--kubeconfig={setting.folder / 'certs' / 'kube-controller-manager.kubeconfig'}",
        f"--service-account-private-key-file={setting.signing_key}",
        f"--root-ca-file={setting.ca.certificate}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


def _node_addresses(network: ClusterNetwork | None) -> list[str]:
    """Each node gets its part of the pods' addresses."""
    if network is None:
        return []
    return [
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={network.pods}",
        f"--node-cidr-mask-size={NODE_PREFIX}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
    ]


def scheduler(setting: Setting) -> list[str]:
    """Arguments of the scheduler: it serves nothing."""
    return [
        f"--kubeconfig={setting.folder / 'certs' / 'kube-scheduler.kubeconfig'}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


STORE = Component("etcd", etcd, 96)
API_SERVER = Component("kube-apiserver", api_server, 384)
FOLLOWERS = (
    Component("kube-controller-manager", controller_manager, 128),
    Component("kube-scheduler", scheduler, 96),
)
COMPONENTS = (STORE, API_SERVER, *FOLLOWERS)
