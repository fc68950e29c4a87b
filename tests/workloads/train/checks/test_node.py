"""A node is let in by one patch that takes all off or nothing, and is told why not; whatever the API server does."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from train.checks.__main__ import main
from train.checks.estimate import Status
from train.checks.health import Finding, Health, conclude
from train.checks.node import NAME, REASON_CHARACTERS, Node
from train.config.failure import Failure
from train.config.job import Job

from components.accelerators import CATALOGUE
from local.control_plane.certificates import ensure_authority, ensure_server
from tests.workloads.conftest import WORKLOADS

GPU = {"key": "nvidia.com/gpu", "effect": "NoSchedule"}
TAINT = {"key": NAME, "effect": "NoSchedule"}
BREAKS_OFF = "an answer that ends before its end"


class Api(ThreadingHTTPServer):
    """Serves one Node over TLS; ``answers``: statuses with which it answers the next requests instead."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        pair = ensure_server(folder, ensure_authority(folder), "127.0.0.1")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pair.certificate, pair.key)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.node: dict[str, Any] = {}
        self.answers: list[tuple[int, str]] = []
        self.seen: list[tuple[str, str]] = []
        self.meanwhile: list[dict[str, Any]] = []

    def patch(self, operations: list[dict[str, Any]]) -> bool:
        changed = json.loads(json.dumps(self.node))
        for one in operations:
            *path, last = [part.replace("~1", "/") for part in one["path"].split("/")[1:]]
            at: Any = changed
            for part in path:
                at = at[int(part)] if isinstance(at, list) else at[part]
            if one["op"] == "test" and at[last] != one["value"]:
                return False
            if one["op"] == "remove":
                del at[int(last) if isinstance(at, list) else last]
            elif one["op"] == "add" and isinstance(at, list):
                at.append(one["value"])
            elif one["op"] == "add":
                at[last] = one["value"]
        self.node = changed
        return True


class Handler(BaseHTTPRequestHandler):
    server: Api  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._answer(200, self.server.node)
        if self.server.meanwhile:
            self.server.node = self.server.meanwhile.pop()

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json-patch+json"
        done = bool(self.server.answers) or self.server.patch(body)
        self._answer(200 if done else 422, self.server.node if done else {"message": "a test did not hold"})

    def _answer(self, status: int, body: Any) -> None:
        self.server.seen.append((self.command, self.headers["Authorization"]))
        if self.server.answers:
            status, message = self.server.answers.pop(0)
            body = {"message": message}
        content = json.dumps(body).encode()
        self.send_response(status)
        missing = 10 if body == {"message": BREAKS_OFF} else 0
        self.send_header("Content-Length", str(len(content) + missing))
        self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        return


def unverified(*taints: dict[str, str], version: str = "1") -> dict[str, Any]:
    metadata = {"name": "n", "resourceVersion": version, "labels": {NAME: "true", "zone": "a"}}
    return {"metadata": metadata, "spec": {"taints": list(taints)} if taints else {}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Path]]:
    folder = tmp_path_factory.mktemp("certs")
    api = Api(folder)
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield api, folder
    api.shutdown()
    api.server_close()


@pytest.fixture
def api(server: tuple[Api, Path]) -> Api:
    found = server[0]
    found.node, found.answers, found.seen, found.meanwhile = unverified(GPU, TAINT), [], [], []
    return found


@pytest.fixture
def environ(api: Api, server: tuple[Api, Path], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "ca.crt").write_text((server[1] / "ca.crt").read_text())
    (tmp_path / "token").write_text("first\n")
    return {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.server_port), "NODE_NAME": "n",
        "KUBERNETES_CREDENTIALS": str(tmp_path),
    }  # fmt: skip


@pytest.fixture
def node(environ: dict[str, str]) -> Node:
    made = Node.of("n", environ)
    return Node(made.name, made.url, made.credentials, waits_s=(0.01, 0.01, 0.01))


def test_taint_label_and_reason_go_together_and_the_rest_stays(api: Api, node: Node) -> None:
    node.tell("it is slow")
    node.let_in()
    assert api.node["spec"]["taints"] == [GPU]
    assert api.node["metadata"]["labels"] == {"zone": "a"}
    assert api.node["metadata"]["annotations"] == {}


def test_a_node_that_is_verified_is_asked_for_and_not_changed(api: Api, node: Node) -> None:
    node.let_in()
    api.seen.clear()
    node.let_in()
    assert [method for method, _ in api.seen] == ["GET"]


@pytest.mark.parametrize("taints", [(), (GPU,)])
def test_a_taint_that_the_registration_left_out_is_put_on(api: Api, node: Node, taints: tuple[Any, ...]) -> None:
    api.node = unverified(*taints)
    node.keep_out()
    assert api.node["spec"]["taints"] == [*taints, TAINT]
    api.seen.clear()
    node.keep_out()
    assert [method for method, _ in api.seen] == ["GET"]


def test_somebody_else_s_change_in_between_is_not_undone(api: Api, node: Node) -> None:
    api.meanwhile = [unverified(TAINT, GPU, version="2")]  # in another order: the place that was read is another's
    node.let_in()
    assert api.node["spec"]["taints"] == [GPU]


def test_a_reason_is_bounded_and_the_newest_one_stands(api: Api, node: Node) -> None:
    node.tell("first")
    node.tell("x" * 10_000)
    text = api.node["metadata"]["annotations"][NAME]
    assert len(text) == REASON_CHARACTERS
    assert text.endswith("…")


def test_a_refusal_is_told_in_the_api_server_s_words_and_not_tried_again(api: Api, node: Node) -> None:
    api.answers = [(403, "nodes n is forbidden")]
    with pytest.raises(Failure, match=r"refuses \(403\): nodes n is forbidden"):
        node.let_in()
    assert len(api.seen) == 1


def test_a_policy_s_refusal_is_no_conflict(api: Api, node: Node) -> None:
    api.answers = [(422, "nodes n is forbidden: ValidatingAdmissionPolicy 'p' denied request")]
    with pytest.raises(Failure, match="denied request"):
        node.let_in()
    assert len(api.seen) == 1


def test_a_busy_api_server_is_asked_again(api: Api, node: Node) -> None:
    api.answers = [(503, "starting"), (429, "slow down")]
    node.let_in()
    assert api.node["spec"]["taints"] == [GPU]


@pytest.mark.parametrize("status", [200, 503])
def test_an_api_server_that_breaks_off_is_asked_again(api: Api, node: Node, status: int) -> None:
    api.node = unverified(TAINT)
    api.answers = [(status, BREAKS_OFF)]
    node.let_in()
    assert api.node == {
        "metadata": {"name": "n", "resourceVersion": "1", "labels": {"zone": "a"}},
        "spec": {"taints": []},
    }


def test_an_api_server_that_stays_away_ends_it_with_the_reason(node: Node) -> None:
    away = Node("n", "https://127.0.0.1:1/api/v1/nodes/n", node.credentials, waits_s=(0.01,))
    with pytest.raises(Failure, match="node n: the API server does not answer"):
        away.let_in()


def test_an_api_server_of_another_authority_is_not_told_the_token(api: Api, node: Node, tmp_path: Path) -> None:
    ensure_authority(tmp_path / "other")
    (tmp_path / "ca.crt").write_text((tmp_path / "other" / "ca.crt").read_text())
    with pytest.raises(Failure, match="does not answer"):
        node.let_in()
    assert api.seen == []


def test_a_token_that_was_renewed_is_the_one_that_is_sent(api: Api, node: Node) -> None:
    node.keep_out()
    (node.credentials / "token").write_text("second")
    node.keep_out()
    assert [token for _, token in api.seen] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("missing", ["KUBERNETES_SERVICE_HOST", "NODE_NAME", "token", "ca.crt"])
def test_what_a_pod_lacks_is_named(
    environ: dict[str, str], tmp_path: Path, missing: str, capfd: pytest.CaptureFixture[str]
) -> None:
    environ.pop(missing, None)
    (tmp_path / missing).unlink(missing_ok=True)
    assert main(["--verify-node"], environ) == 1
    assert f"{missing} is missing" in capfd.readouterr().err


def test_checks_that_fail_leave_the_taint_and_their_reason(api: Api, environ: dict[str, str]) -> None:
    row = {"chips": 8, "instance_type": "p5.48xlarge"}
    assert main(["--verify-node"], {**environ, "ACCELERATOR": json.dumps(row)}) == 1
    assert api.node["spec"]["taints"] == [GPU, TAINT]
    assert "the catalogue says 8 of p5.48xlarge" in api.node["metadata"]["annotations"][NAME]


class Settled(Exception):
    """The pod has let its node in, and would wait to be taken away."""


SLOW = Finding(status=Status.FAIL, sentence="n: matrix products 0.1 TFLOP/s")
WRONG = Finding(status=Status.FAIL, sentence="n device 3 calculates wrong", wrong=True)
EMULATED = {"EMULATED_DEVICES": "8"}


@pytest.fixture
def verify(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Verifies the node in this process with checks that find this, and returns how they were told to judge."""

    def verified(*findings: Finding, **environment: str) -> str:
        judged: list[str] = []

        def check(job: Job, *_: object) -> Health:
            judged.append(job.config.checks)
            status, reason = conclude(findings)
            return Health(status=status, reason=reason, nodes=(), links=(), collectives=(), findings=findings)

        def settled() -> None:
            raise Settled

        monkeypatch.setattr("train.checks.alone._check", check)
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        monkeypatch.setattr(signal, "pause", settled)
        with suppress(Settled):
            assert main(["--verify-node"], {**environ, **environment}) == 1
        return judged[0]

    return verified


@pytest.mark.parametrize("findings", [(), (SLOW,)], ids=["well", "slow"])
def test_the_speed_of_cpus_that_stand_in_for_chips_keeps_no_node_out(
    api: Api, verify: Callable[..., str], findings: tuple[Finding, ...]
) -> None:
    assert verify(*findings, **EMULATED) == "report"
    assert api.node["spec"]["taints"] == [GPU]
    assert NAME not in api.node["metadata"]["labels"]


def test_wrong_results_keep_a_node_out_whoever_stands_in_for_its_chips_and_are_the_whole_reason(
    api: Api, verify: Callable[..., str]
) -> None:
    verify(SLOW, WRONG, **EMULATED)
    assert api.node["spec"]["taints"] == [GPU, TAINT]
    assert api.node["metadata"]["annotations"][NAME] == WRONG.sentence


def test_the_speed_of_real_chips_keeps_a_node_out(api: Api, verify: Callable[..., str]) -> None:
    assert verify(SLOW) == "strict"
    assert api.node["spec"]["taints"] == [GPU, TAINT]
    assert api.node["metadata"]["annotations"][NAME] == SLOW.sentence


def process(environ: dict[str, str], emulated: int) -> subprocess.Popen[str]:
    """The pod's own command, with as many devices in place of the two chips of its type."""
    row = {**CATALOGUE["p5.48xlarge"].row(), "chips": 2}
    environment = {
        **environ, "PATH": os.environ["PATH"], "PYTHONPATH": str(WORKLOADS), "JAX_PLATFORMS": "cpu",
        "ACCELERATOR": json.dumps(row), "EMULATED_DEVICES": str(emulated),
    }  # fmt: skip
    command = [sys.executable, "-m", "train.checks", "--verify-node"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.real
def test_a_node_whose_chips_cpus_stand_in_for_is_let_in_by_the_checks_themselves(
    api: Api, environ: dict[str, str]
) -> None:
    with process(environ, emulated=2) as pod:
        assert pod.stderr
        try:
            said = next((line for line in pod.stderr if "node n" in line or "FAIL" in line), "")
            assert said == "checks: node n is verified\n"
            assert api.node["spec"]["taints"] == [GPU]
        finally:
            pod.terminate()
        assert pod.wait(30) == 0  # the kubelet takes it away: that is no failure


def test_emulated_devices_are_counted_as_chips_are(api: Api, environ: dict[str, str]) -> None:
    with process(environ, emulated=3) as pod:
        assert pod.wait(120) == 1
    assert api.node["spec"]["taints"] == [GPU, TAINT]
    assert "shows 3 devices (cpu), and the catalogue says 2 of p5.48xlarge" in api.node["metadata"]["annotations"][NAME]
