"""What the Prometheus of a cluster says of its nodes: how busy they are, and which alerts fire."""

from __future__ import annotations

import http.client
import json
import math
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local import configuration, control_plane, machines
from local.paths import DataRoot
from local.podman import PodmanError

TIMEOUT_S = 2.0
"""For one answer. The first that does not come ends the asking: status must not hang on a dead machine."""
PORT = 9090
_DISKS = 'job="node", fstype!~"tmpfs|ramfs|squashfs"'
# Interfaces that carry what has come in, or will go out, through another one of the same node.
_NETWORK = 'job="node", device!~"lo|veth.*|eni.*|pods.*|cni.*|docker.*|br-.*"'
QUERIES = {
    "load1": 'node_load1{job="node"}',
    "memory_percent": '100 * (1 - node_memory_MemAvailable_bytes{job="node"} / node_memory_MemTotal_bytes{job="node"})',
    "disk_percent": (
        f"max by (node) (100 * (1 - node_filesystem_avail_bytes{{{_DISKS}}} / node_filesystem_size_bytes{{{_DISKS}}}) "
        f"and node_filesystem_readonly{{{_DISKS}}} == 0)"
    ),
    # Four of the longest intervals between two looks that a stack file may have.
    "receive_bytes_per_s": f"sum by (node) (rate(node_network_receive_bytes_total{{{_NETWORK}}}[4m]))",
    "transmit_bytes_per_s": f"sum by (node) (rate(node_network_transmit_bytes_total{{{_NETWORK}}}[4m]))",
}
"""PromQL by the field of `NodeMetrics` that it gives, each with the label ``node``."""


@dataclass(frozen=True)
class NodeMetrics:
    """One node as it was last seen; ``None`` is what nobody knows.

    Attributes:
        load1: processes that ran or waited, averaged over a minute.
        memory_percent: of the memory, what is not available to new processes.
        disk_percent: of the fullest disk, what is used.
    """

    load1: float | None = None
    memory_percent: float | None = None
    disk_percent: float | None = None
    receive_bytes_per_s: float | None = None
    transmit_bytes_per_s: float | None = None

    def line(self) -> str:
        """As one line."""
        load = "–" if self.load1 is None else f"{self.load1:.2f}"
        network = f"{_rate(self.receive_bytes_per_s)} in, {_rate(self.transmit_bytes_per_s)} out"
        return f"load {load} · memory {_percent(self.memory_percent)} · disk {_percent(self.disk_percent)} · {network}"


@dataclass(frozen=True)
class Alert:
    """An alert that fires; ``since`` is ISO 8601."""

    name: str
    severity: str
    node: str
    summary: str
    since: str

    def line(self) -> str:
        """As one line."""
        return f"{self.name} ({self.severity}): {self.summary}"


@dataclass(frozen=True)
class Watch:
    """What is known of one cluster's nodes.

    Attributes:
        url: of the Prometheus that is declared; empty where none is.
        reason: why nothing is known; empty where Prometheus has answered.
        watched: how many nodes Prometheus knows of, whether they answer it or not; ``None`` where nothing is known.
        nodes: by name.
    """

    cluster: str
    url: str = ""
    reason: str = ""
    watched: int | None = None
    nodes: Mapping[str, NodeMetrics] = field(default_factory=dict[str, NodeMetrics])
    alerts: tuple[Alert, ...] = ()


class NoAnswer(Exception):
    """Prometheus did not answer, or not as Prometheus does; the message says how."""


def watches(root: DataRoot, planes: Sequence[control_plane.ControlPlane]) -> tuple[Watch, ...]:
    """What is known of the nodes of those clusters."""
    try:
        found = machines.list_machines(root)
    except PodmanError as problem:
        return tuple(Watch(plane.name, reason=str(problem)) for plane in planes)
    return tuple(_watch(plane, found) for plane in planes)


def _watch(plane: control_plane.ControlPlane, found: list[machines.Machine]) -> Watch:
    if plane.network is None:
        return Watch(plane.name, reason="nodes are processes, and Prometheus needs a machine")
    servers = [
        machine
        for machine in found
        if (machine.region, machine.cluster) == (plane.region, plane.name)
        and configuration.MONITORING in configuration.groups_of(machine)
    ]
    if not servers:
        return Watch(plane.name, reason="no machine watches the nodes: the stack file's section monitoring makes one")
    (server, *_) = servers
    url = f"http://{server.address}:{PORT}"
    if not server.running:
        return Watch(plane.name, url, reason=f"its machine {server.name} does not run: `aidc up` starts it again")
    return ask(plane.name, url)


def ask(cluster: str, url: str, timeout_s: float = TIMEOUT_S) -> Watch:
    """What the Prometheus at ``url`` says, or why it says nothing."""
    try:
        answers = {name: _values(url, query, timeout_s) for name, query in QUERIES.items()}
        alerts, watched = _alerts(url, timeout_s), _watched(url, timeout_s)
    except NoAnswer as problem:
        return Watch(cluster, url, reason=f"{url} {problem}")
    names = sorted({node for values in answers.values() for node in values})
    nodes = {node: NodeMetrics(**{name: values.get(node) for name, values in answers.items()}) for node in names}
    return Watch(cluster, url, watched=watched, nodes=nodes, alerts=alerts)


def _values(url: str, query: str, timeout_s: float) -> dict[str, float]:
    """The numbers of an instant query by node."""
    data = _get(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout_s)
    try:
        found = {str(one["metric"]["node"]): float(one["value"][1]) for one in data["result"]}
    except (LookupError, TypeError, ValueError):
        raise NoAnswer("does not answer as Prometheus does") from None
    return {node: value for node, value in found.items() if math.isfinite(value)}


def _watched(url: str, timeout_s: float) -> int:
    """How many nodes it looks at: they are targets as soon as they are found, before the first look."""
    data = _get(f"{url}/api/v1/targets?state=active", timeout_s)
    try:
        return sum(target["labels"]["job"] == "node" for target in data["activeTargets"])
    except (LookupError, TypeError):
        raise NoAnswer("does not answer as Prometheus does") from None


def _alerts(url: str, timeout_s: float) -> tuple[Alert, ...]:
    data = _get(f"{url}/api/v1/alerts", timeout_s)
    try:
        firing = [one for one in data["alerts"] if one["state"] == "firing"]
        return tuple(sorted((_alert(one) for one in firing), key=lambda alert: (alert.name, alert.node)))
    except (LookupError, TypeError, AttributeError):
        raise NoAnswer("does not answer as Prometheus does") from None


def _alert(one: Mapping[str, Any]) -> Alert:
    labels, annotations = one["labels"], one.get("annotations") or {}
    return Alert(
        name=labels["alertname"], severity=labels.get("severity", "unknown"), node=labels.get("node", ""),
        summary=annotations.get("summary", "it gives no summary"), since=one.get("activeAt", ""),
    )  # fmt: skip


def _get(address: str, timeout_s: float) -> Any:
    """The ``data`` of an answer. No proxy: machines are of this host's own networks."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=timeout_s) as answer:
            return json.load(answer)["data"]
    except (OSError, http.client.HTTPException) as error:  # urllib's own errors are of the first kind
        raise NoAnswer(f"does not answer: {getattr(error, 'reason', None) or error}") from None
    except (ValueError, LookupError, TypeError):
        raise NoAnswer("does not answer as Prometheus does") from None


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} %"


def _rate(value: float | None) -> str:
    if value is None:
        return "–"
    for unit in ("B/s", "kB/s", "MB/s"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B/s" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB/s"
