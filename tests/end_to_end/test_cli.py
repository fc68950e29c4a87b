"""The Pulumi CLI brings up the whole program from nothing, and either engine goes on where the other stopped."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from local import moto, vehicle
from local.paths import CHECKOUT
from tests.end_to_end.conftest import Checkout

pytestmark = [pytest.mark.real, pytest.mark.cli, pytest.mark.timeout(600)]


def pulumi(checkout: Checkout, *arguments: str) -> str:
    """Run the CLI by hand as ``local/Pulumi.yaml`` says, with a passphrase of one's own and the checkout's own file."""
    environment = checkout.environment() | {
        "PULUMI_CONFIG_PASSPHRASE": "of the user's own",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_HOME": str(checkout.folder / "pulumi-home"),
        "PATH": f"{CHECKOUT / '.venv' / 'bin'}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["pulumi", "-C", "local", *arguments, "--non-interactive"], cwd=checkout.folder, env=environment,
        capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def test_the_cli_brings_up_the_data_centre_from_nothing_by_hand(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.root.state.mkdir(parents=True)
    pulumi(checkout, "stack", "init", "local")
    assert "encryptionsalt" in checkout.stack_file.read_text()  # the CLI has rewritten the file, and it still means it
    pulumi(checkout, "up", "--stack", "local", "--yes", "--skip-preview")
    nodes = checkout.kubernetes().get("/api/v1/nodes")["items"]
    assert len(nodes) == 2
    passphrase = Path(checkout.folder / "passphrase")
    passphrase.write_text("of the user's own")
    checkout.variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase)
    data, told = checkout.aidc("preview", "--exit-code")
    assert not any(number for op, number in data["changes"].items() if op != "same"), told


def test_the_embedded_engine_destroys_what_the_cli_made(checkout: Checkout) -> None:
    checkout.aidc("destroy")
    assert checkout.aws("eks").list_clusters()["clusters"] == []


def test_aidc_with_the_cli_as_its_engine_does_the_same_and_leaves_the_checkout_as_it_was(checkout: Checkout) -> None:
    before = checkout.stack_file.read_bytes()
    process = checkout.start("up", "--engine", "cli")
    stdout, stderr = process.communicate(timeout=400)
    assert process.returncode == 0, (stdout + stderr)[-6000:]
    for line in ("nodes      2 of 2 Ready", "smoke test PASS: loss "):
        assert line in stdout
    # Beside other work the checks may have to say that they do not know.
    assert re.search(r"^health     (PASS|UNKNOWN)$", stdout, re.MULTILINE), stdout[-6000:]
    assert checkout.stack_file.read_bytes() == before
    data, told = checkout.aidc("preview", "--exit-code")
    assert not any(number for op, number in data["changes"].items() if op != "same"), told


def test_a_preview_by_the_cli_starts_no_cloud_and_does_not_choose_what_nodes_are(checkout: Checkout) -> None:
    checkout.down()
    process = checkout.start("preview", "--engine", "cli")
    stdout, stderr = process.communicate(timeout=400)
    assert process.returncode == 0, (stdout + stderr)[-6000:]
    assert "to create" in stdout + stderr
    assert moto.running(checkout.root) is None
    assert vehicle.recorded(checkout.root) is None
