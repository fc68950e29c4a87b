"""The Pulumi CLI on the program of log groups, with the local AWS provider as its plugin."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.once import GROUPS
from local import moto
from local.paths import CHECKOUT, DataRoot
from setup.host import NODES, PROCESSES

_PROJECT = """
name: bench
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {checkout}/.venv
plugins:
  providers:
    - name: aws
      path: {checkout}/local/aws
"""


def seconds_of_cli(count: int) -> float:
    """Seconds of ``pulumi up`` from nothing, the start of the CLI and of its plugins included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = DataRoot(folder / "datacenter")
        (folder / "Pulumi.yaml").write_text(_PROJECT.format(checkout=CHECKOUT))
        (folder / "Pulumi.bench.yaml").write_text("config:\n  aws:region: us-east-1\n")
        (folder / "__main__.py").write_text(GROUPS.format(count=count))
        root.state.mkdir(parents=True)
        os.environ[NODES] = PROCESSES  # no node is measured, and processes leave no network to be taken down
        environment = os.environ | {
            "AI_DATACENTER_HOME": str(root.path),
            "PULUMI_BACKEND_URL": root.state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for nothing",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        moto.ensure(root)
        try:
            _pulumi(["stack", "init", "bench"], folder, environment)
            began = time.monotonic()
            _pulumi(["up", "--yes", "--skip-preview", "--stack", "bench"], folder, environment)
            return time.monotonic() - began
        finally:
            moto.stop(root)


def _pulumi(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    command = ["pulumi", *arguments, "--non-interactive"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=900)
