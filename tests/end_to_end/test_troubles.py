"""What goes wrong around a data centre: each trouble is told in one screen, and the next ``up`` mends it.

The tests build on one another, in order, as those of one machine do.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import control_plane, moto
from local.engine.store import SecretsManager
from local.processes import RECORD_SUFFIX, ProcessRecord, alive, send, wait_until
from tests.end_to_end.conftest import Checkout

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

SCREEN = 24  # lines
CANARY = "canary-5f0c1d"
SECRETIVE = """
pulumi.export("password", pulumi.Output.secret("{canary}-output"))
pulumi.log.info("the token is " + pulumi.Config("other").require("token"))
print("printed:", pulumi.Config("other").require("token"))
"""


def kill(*files: Path) -> None:
    """SIGKILL the processes with these records, at once and with nothing tidied up."""
    records = [record for record in map(ProcessRecord.read, files) if record is not None]
    for record in records:
        send(record, signal.SIGKILL)
    assert wait_until(lambda: not any(map(alive, records)), 10)


def last_words(told: str) -> list[str]:
    """What is said after the last line of the display: the part that stays on the screen."""
    lines = told.rstrip().splitlines()
    start = max(number for number, line in enumerate(lines) if line.startswith("up failed in "))
    return lines[start + 1 :]


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Hold a port as a stranger does."""
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


def test_secrets_of_the_user_are_in_no_state_log_or_output(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "SOME_TOKEN"):
        monkeypatch.setenv(name, f"{CANARY}-{name}")
    secrets = SecretsManager.of_environment(checkout.root.passphrase)
    secure = f"  other:token:\n    secure: {secrets.encrypt(CANARY + '-config')}\nencryptionsalt: {secrets.salt}\n"
    checkout.stack_file.write_text(checkout.stack_file.read_text() + secure)
    program = checkout.folder / "__main__.py"
    program.write_text(program.read_text() + SECRETIVE.format(canary=CANARY))
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert "the token is [secret]" in told
    shown = told + str(data) + checkout.told("up", code=0) + checkout.told("status", code=0)
    assert CANARY not in shown
    found = [path for path in checkout.root.path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert found == []


def test_after_a_reboot_the_data_centre_is_rebuilt_with_a_sentence_for_each_loss(checkout: Checkout) -> None:
    kill(*checkout.root.path.rglob(f"*{RECORD_SUFFIX}"))
    data, told = checkout.aidc("up")
    assert "The local AWS (moto) had stopped" in told
    assert "The control plane of aidc-local lost etcd, kube-apiserver" in told
    assert data["passed"], told
    assert checkout.duplicates() == []


def test_a_port_that_a_stranger_took_is_told_with_its_holder_and_given_back(checkout: Checkout) -> None:
    (plane,) = control_plane.clusters(checkout.root)
    plane.stop()
    with listening(plane.place.port):
        told = checkout.told("up", code=1)
    assert f"Port {plane.place.port} on 127.0.0.1" in told
    assert f"(process {os.getpid()})" in told
    assert len(told.splitlines()) <= SCREEN
    data, told = checkout.aidc("up")
    assert data["passed"], told


def test_a_smoke_test_that_cannot_pass_fails_up_with_its_reason_in_one_screen(checkout: Checkout) -> None:
    settings = checkout.folder / "workloads" / "train" / "config" / "settings.py"
    sound = settings.read_text()
    settings.write_text(sound.replace("default=1.5", "default=50.0", 1))  # so far no loss falls
    assert settings.read_text() != sound
    told = checkout.told("up", code=1)
    words = last_words(told)
    assert "container train ended with exit code 1" in "\n".join(words)
    assert "the loss fell from" in "\n".join(words)
    assert len(words) <= SCREEN
    assert "Traceback" not in told
    rows = [line for line in words if "TFLOP/s" in line]
    assert len(rows) == 2, "the nodes of a failed test have their rows too"
    status, _ = checkout.aidc("status", code=1)
    assert [row["node"] in "\n".join(rows) for row in status["verdict"]["node_checks"]] == [True, True]
    settings.write_text(sound)
    data, told = checkout.aidc("up")
    assert data["passed"], told


def test_two_regions_stand_side_by_side_and_one_goes_without_the_other(checkout: Checkout) -> None:
    west = checkout.folder / "Pulumi.west.yaml"
    text = (
        checkout.stack_file.read_text().replace("us-east-1", "us-west-2").replace("name: aidc-local", "name: aidc-west")
    )
    west.write_text(text)
    data, told = checkout.aidc("up", "--stack", "west")
    assert data["passed"], told
    planes = control_plane.clusters(checkout.root)
    assert [(plane.region, plane.name) for plane in planes] == [("us-east-1", "aidc-local"), ("us-west-2", "aidc-west")]
    assert len({plane.place.port for plane in planes}) == len({plane.folder for plane in planes}) == 2
    checkout.aidc("destroy", "--stack", "west")
    assert [plane.name for plane in control_plane.clusters(checkout.root)] == ["aidc-local"]
    again, _ = checkout.aidc("up")
    assert not any(number for op, number in again["changes"].items() if op != "same")


def test_down_leaves_nothing_though_the_cloud_is_dead_and_the_state_is_torn(checkout: Checkout) -> None:
    server = moto.running(checkout.root)
    assert server is not None
    send(server.process, signal.SIGKILL)
    for checkpoint in checkout.root.state.rglob("*.json"):
        checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    checkout.down()
    assert not checkout.root.path.exists()
    shutil.rmtree(checkout.root.path, ignore_errors=True)
