"""How busy nodes are comes from Prometheus; what it does not say is `–`, with the reason, and never a guess."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import machines, networks
from local.control_plane import ControlPlane
from local.control_plane.ports import Place
from local.machines import Machine
from local.paths import DataRoot
from local.podman import PodmanError
from operations.metrics import QUERIES, Alert, NodeMetrics, Watch, ask, watches

FIRING = {
    "labels": {"alertname": "NodeDown", "node": "b", "severity": "critical"},
    "annotations": {"summary": "b does not answer"}, "state": "firing", "activeAt": "2026-01-01T00:00:00Z",
}  # fmt: skip


class Prometheus:
    """A server that answers as Prometheus does, over HTTP on this machine."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, str]] = {}
        self.alerts: list[dict[str, Any]] = []
        self.targets: list[str] = []
        self.raw: bytes | None = None
        self.status = 200
        found = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(found.status)
                self.end_headers()
                self.wfile.write(found.answer(self.path))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, path: str) -> bytes:
        if self.raw is not None:
            return self.raw
        where = urllib.parse.urlsplit(path)
        if where.path == "/api/v1/alerts":
            return json.dumps({"status": "success", "data": {"alerts": self.alerts}}).encode()
        if where.path == "/api/v1/targets":
            targets = [{"labels": {"job": job}} for job in self.targets]
            return json.dumps({"status": "success", "data": {"activeTargets": targets}}).encode()
        (query,) = urllib.parse.parse_qs(where.query)["query"]
        (name,) = [name for name, one in QUERIES.items() if one == query]
        result = [{"metric": {"node": node}, "value": [0, value]} for node, value in self.results.get(name, {}).items()]
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    found = Prometheus()
    yield found
    found.close()


def test_each_node_has_the_numbers_that_prometheus_gives_for_it_and_no_others(prometheus: Prometheus) -> None:
    prometheus.results = {
        "load1": {"a": "0.5", "b": "2"}, "memory_percent": {"a": "61.4"}, "disk_percent": {"a": "NaN"},
        "receive_bytes_per_s": {"a": "1234"}, "transmit_bytes_per_s": {"a": "5.6e6"},
    }  # fmt: skip
    found = ask("dc", prometheus.url)
    assert found.reason == ""
    assert found.nodes == {"a": NodeMetrics(0.5, 61.4, None, 1234.0, 5.6e6), "b": NodeMetrics(load1=2.0)}
    assert found.nodes["a"].line() == "load 0.50 · memory 61 % · disk – · 1.2 kB/s in, 5.6 MB/s out"
    assert found.nodes["b"].line() == "load 2.00 · memory – · disk – · – in, – out"


RATES = {0.0: "0 B/s", 999.0: "999 B/s", 999.6: "1.0 kB/s", 9990.0: "10 kB/s", 2.5e9: "2.5 GB/s", 3e12: "3000.0 GB/s"}


@pytest.mark.parametrize(("value", "said"), RATES.items())
def test_a_rate_is_said_in_the_unit_that_fits(value: float, said: str) -> None:
    assert NodeMetrics(receive_bytes_per_s=value).line().split(" · ")[-1].startswith(f"{said} in")


def test_alerts_that_fire_are_told_and_those_that_wait_are_not(prometheus: Prometheus) -> None:
    prometheus.alerts = [FIRING, {**FIRING, "state": "pending", "labels": {"alertname": "NodeCPUHigh", "node": "a"}}]
    (alert,) = ask("dc", prometheus.url).alerts
    assert alert == Alert("NodeDown", "critical", "b", "b does not answer", "2026-01-01T00:00:00Z")
    assert alert.line() == "NodeDown (critical): b does not answer"


def test_the_nodes_that_are_watched_are_counted_and_the_server_is_none(prometheus: Prometheus) -> None:
    prometheus.targets = ["node", "monitoring", "node"]
    assert ask("dc", prometheus.url).watched == 2
    prometheus.targets = ["monitoring"]
    assert ask("dc", prometheus.url).watched == 0


def test_a_server_that_refuses_is_the_reason() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"  # bound, and nobody listens
        found = ask("dc", url)
    assert found.reason.startswith(f"{url} does not answer: ")
    assert "refused" in found.reason
    assert found.nodes == {}


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        found = ask("dc", f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)
    assert time.monotonic() - began < 2
    assert "timed out" in found.reason


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b'{"data": null}', b'{"data": {"result": [{}]}}', b'{"data": {"result": {"a": 1}}}']
)
def test_what_is_no_prometheus_is_said_to_be_none(prometheus: Prometheus, raw: bytes) -> None:
    prometheus.raw = raw
    assert ask("dc", prometheus.url).reason == f"{prometheus.url} does not answer as Prometheus does"


def test_a_server_that_is_not_ready_is_the_reason_with_its_status(prometheus: Prometheus) -> None:
    prometheus.status = 503
    assert "does not answer: Service Unavailable" in ask("dc", prometheus.url).reason


def test_a_proxy_of_the_environment_is_not_asked(prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask("dc", prometheus.url).reason == ""


def cluster(folder: Path, on_machines: bool = True) -> ControlPlane:
    """A cluster whose nodes are machines, or processes."""
    plane = ControlPlane("us-east-1", "dc", folder, Place("127.0.0.1", 20_000))
    if on_machines:
        (folder / networks.FILE).write_text('{"subnet": "198.18.16.0/20"}')
    return plane


def server(address: str, running: bool = True, tag: str = "ai-datacenter:monitoring") -> Machine:
    return Machine("server", "dc", "us-east-1", "", address, {tag: "dc"}, Path("key"), "", running)


def watch(monkeypatch: pytest.MonkeyPatch, plane: ControlPlane, *found: Machine) -> Watch:
    monkeypatch.setattr(machines, "list_machines", lambda root: list(found))
    (only,) = watches(DataRoot(plane.folder), [plane])
    return only


def test_nobody_watches_processes_or_where_no_server_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = watch(monkeypatch, cluster(tmp_path, on_machines=False))
    assert (found.url, found.reason) == ("", "nodes are processes, and Prometheus needs a machine")
    found = watch(monkeypatch, cluster(tmp_path), server("127.0.0.1", tag="other"))
    assert (found.url, found.reason.split(":")[0]) == ("", "no machine watches the nodes")


def test_a_server_that_is_declared_and_dead_is_wrong_and_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = watch(monkeypatch, cluster(tmp_path), server("192.0.2.1", running=False))
    assert found.url == "http://192.0.2.1:9090"
    assert "its machine server does not run" in found.reason


def test_a_podman_that_refuses_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(root: DataRoot) -> list[Machine]:
        raise PodmanError("`podman ps` failed: database is locked")

    plane = cluster(tmp_path)
    monkeypatch.setattr(machines, "list_machines", refuse)
    (only,) = watches(DataRoot(tmp_path), [plane])
    assert only.reason == "`podman ps` failed: database is locked"
