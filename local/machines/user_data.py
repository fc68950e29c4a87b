"""What one machine is told at its start, as user data tells an instance: files under ``/etc/ai-datacenter``."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.addresses import NODE_PREFIX, ClusterNetwork
from local.control_plane.cluster import kubeconfig
from local.files import write_atomically
from local.machines.joining import DNS_USER, PROXY_USER
from local.machines.keys import ensure_key
from local.node_spec import NodeSpec

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

PLACE = "/etc/ai-datacenter"
IMAGES = "images"
"""The file that holds the names under which pods ask for the workload's image, one a line."""
MAX_PODS = 2 ** (32 - NODE_PREFIX) - 6
"""A node's pod addresses without the network's, the bridge's and some that pods just gone have not given back."""
_SWAP_IS_THE_HOSTS = False
_SELF_SET = "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch"


@dataclass(frozen=True)
class HostSize:
    """What the kubelet will find: all of the host, whatever the machine declares."""

    vcpus: int
    memory_mib: int

    @classmethod
    def here(cls) -> HostSize:
        """This host's."""
        kibibytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024
        return cls(os.cpu_count() or 1, kibibytes // 1024)


def write(plane: ControlPlane, spec: NodeSpec, address: str, token: str, folder: Path, entry_key: str) -> None:
    """Write everything that the machine needs into ``folder``, readable by root only."""
    network = plane.network
    assert network is not None, "a cluster of machines has a network"
    write_entry(folder, entry_key)
    proxy = kubeconfig(plane.client_credentials("kube-proxy", PROXY_USER))
    dns = kubeconfig(plane.client_credentials("coredns", DNS_USER))
    contents = {
        "ca.crt": plane.ca_pem,
        "bootstrap.kubeconfig": json.dumps(joining_kubeconfig(plane.endpoint, plane.ca_pem, token), indent=1),
        "kubelet.yaml": json.dumps(kubelet_configuration(spec, address, HostSize.here()), indent=1),
        "kubelet.env": f"KUBELET_ARGUMENTS={' '.join(kubelet_arguments(spec, address))}\n",
        "kube-proxy.kubeconfig": json.dumps(proxy, indent=1),
        "kube-proxy.yaml": json.dumps(proxy_configuration(spec, network), indent=1),
        "coredns.kubeconfig": json.dumps(dns, indent=1),
        "Corefile": corefile(address),
    }
    for name, content in contents.items():
        write_atomically(folder / name, content, 0o600)


def write_entry(folder: Path, entry_key: str) -> None:
    """Write what lets somebody in: the key by which the machine is known, and the one that enters it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    ensure_key(folder / "ssh_host_ed25519_key")
    write_atomically(folder / "authorized_keys", f"{entry_key}\n", 0o600)


def joining_kubeconfig(endpoint: str, ca_pem: str, token: str) -> dict[str, Any]:
    """A kubeconfig that may do one thing: ask for a certificate."""
    cluster = {"server": endpoint, "certificate-authority-data": base64.b64encode(ca_pem.encode()).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": cluster}],
        "users": [{"name": "joining", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "joining"}}],
        "current-context": "local",
    }


def kubelet_configuration(spec: NodeSpec, address: str, host: HostSize) -> dict[str, Any]:
    """The kubelet's file. It finds the host's size: what is above the declared one is reserved for the system."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PLACE}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "clusterDomain": "cluster.local",
        "clusterDNS": [address],
        "failSwapOn": _SWAP_IS_THE_HOSTS,
        "maxPods": MAX_PODS,
        "rotateCertificates": True,
        "registerWithTaints": [vars(taint) for taint in spec.registered_taints()],
        "systemReserved": reserved(spec, host),
        # The disk is the host's: a node that is told that it is full would throw its pods out for others' files.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def reserved(spec: NodeSpec, host: HostSize) -> dict[str, str]:
    """The part of the host that is not the machine's; the rest, less what evictions keep free, is the declared size."""
    kept_free_mib = 100
    memory_mib = host.memory_mib - kept_free_mib - spec.memory_mib
    return {"cpu": str(max(0, host.vcpus - spec.vcpus)), "memory": f"{max(0, memory_mib)}Mi"}


def kubelet_arguments(spec: NodeSpec, address: str) -> list[str]:
    """What has no place in the kubelet's file: who it is."""
    labels = {name: value for name, value in spec.registered_labels().items() if name not in _SELF_SET}
    return [
        f"--hostname-override={spec.name}",
        f"--node-ip={address}",
        f"--provider-id={spec.provider_id}",
        f"--node-labels={','.join(f'{name}={value}' for name, value in own_labels(labels).items())}",
    ]


def own_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that a kubelet may give itself; the others come from the API, as the cloud's controllers set them."""
    return {name: value for name, value in labels.items() if _may_set(name)}


def _may_set(label: str) -> bool:
    prefix = label.partition("/")[0] if "/" in label else ""
    if not (prefix.endswith(("kubernetes.io", "k8s.io"))):
        return True
    return label in ("node.kubernetes.io/instance-type", "topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def proxy_configuration(spec: NodeSpec, network: ClusterNetwork) -> dict[str, Any]:
    """kube-proxy's file. Connection tracking is the host's kernel's: its limits are left alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": f"{PLACE}/kube-proxy.kubeconfig"},
        "clusterCIDR": str(network.pods),
        "hostnameOverride": spec.name,
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def corefile(address: str) -> str:
    """CoreDNS's file: the cluster's own names are asked anew each time, for pods come and go within seconds."""
    return f"""cluster.local:53 {{
    bind {address}
    errors
    kubernetes cluster.local {{
        kubeconfig {PLACE}/coredns.kubeconfig
        ttl 1
    }}
}}
.:53 {{
    bind {address}
    errors
    cache 30
    forward . /etc/resolv.conf
}}
"""
