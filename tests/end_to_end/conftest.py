"""A checkout of one's own, as a user has it after a clone, with its data centre in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import control_plane, moto
from local.kube_api import KubeApi
from local.paths import CHECKOUT, DataRoot
from setup.host import MACHINES, NODES

URN_TAG = "ai-datacenter:urn"
_PARTS = (
    "Pulumi.yaml", "Pulumi.local.yaml", "__main__.py", "components", "local", "operations", "playbooks",
    "setup", "workloads",
)  # fmt: skip
_UP_TIMEOUT_S = 420


@dataclass(frozen=True)
class Checkout:
    """A copy of the checkout; what a test changes in it, nobody else sees."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])
    """Set for its commands, beside what everybody's environment has."""

    @property
    def root(self) -> DataRoot:
        """Where its data centre lives."""
        return DataRoot(self.folder / ".datacenter")

    @property
    def stack_file(self) -> Path:
        """Its stack's configuration."""
        return self.folder / "Pulumi.local.yaml"

    def environment(self) -> dict[str, str]:
        """What its commands see: a terminal of nobody's, no passphrase, no data root of another."""
        dropped = ("AI_DATACENTER_HOME", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
        return {name: value for name, value in os.environ.items() if name not in dropped} | {
            "CI": "true",
            **self.variables,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``aidc`` with ``arguments``."""
        return subprocess.Popen(
            [sys.executable, "-m", "operations", *arguments], cwd=self.folder, env=self.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def aidc(self, *arguments: str, code: int = 0) -> tuple[Any, str]:
        """Run ``aidc`` to its end: its data, and what it told on the way."""
        process = self.start(*arguments, "--output", "json")
        stdout, stderr = process.communicate(timeout=_UP_TIMEOUT_S)
        assert process.returncode == code, stderr[-6000:]
        return (json.loads(stdout) if stdout.strip() else None), stderr

    def down(self) -> None:
        """``make down``."""
        subprocess.run(
            [sys.executable, "-m", "operations.down"], cwd=self.folder, env=self.environment(), check=True,
            capture_output=True, timeout=_UP_TIMEOUT_S,
        )  # fmt: skip

    def aws(self, service: str, region: str = "us-east-1") -> Any:
        """A client of its AWS."""
        server = moto.running(self.root)
        assert server is not None
        return boto3.client(
            service, endpoint_url=server.endpoint_url, region_name=region, aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )  # fmt: skip

    def kubernetes(self) -> KubeApi:
        """A client of its cluster's API server."""
        (plane,) = control_plane.clusters(self.root)
        return plane.api()

    def told(self, *arguments: str, code: int) -> str:
        """Run ``aidc`` as somebody at a terminal does; what they are shown, all of it."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=_UP_TIMEOUT_S)
        assert process.returncode == code, stderr[-6000:]
        return stderr + stdout

    def configure(self, replacements: Mapping[str, str]) -> None:
        """Change the stack file, text for text."""
        text = self.stack_file.read_text()
        for old, new in replacements.items():
            assert text.count(old) == 1, f"{old!r} must stand once in the stack file"
            text = text.replace(old, new)
        self.stack_file.write_text(text)

    def duplicates(self) -> list[str]:
        """URNs that more than one object of the local AWS carries: what a killed run would leave."""
        pages = self.aws("resourcegroupstaggingapi").get_paginator("get_resources").paginate()
        urns = [
            tag["Value"]
            for page in pages
            for found in page["ResourceTagMappingList"]
            for tag in found["Tags"]
            if tag["Key"] == URN_TAG
        ]
        return sorted({urn for urn in urns if urns.count(urn) > 1})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose data centre is taken down at the end, whatever the tests did to it."""
    made = Checkout(_copied(tmp_path_factory.mktemp("checkout")))
    yield made
    made.down()


@pytest.fixture(scope="module")
def host_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The same with nodes that are machines."""
    made = Checkout(_copied(tmp_path_factory.mktemp("machines")), {NODES: MACHINES})
    yield made
    made.down()


def _copied(folder: Path) -> Path:
    for name in _PARTS:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / ".venv").symlink_to((CHECKOUT / ".venv").resolve())
    return folder
