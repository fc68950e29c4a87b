"""One state, whichever engine ran last: the Pulumi CLI and the embedded engine take over from each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.paths import CHECKOUT
from tests.local.engine.conftest import Stack, changed
from tests.local.engine.null_provider import World

pytestmark = pytest.mark.cli

PROGRAM = """
g = Group("g")
there = Provider("there", region="there")
a = Thing("a", value="1", tags={"k": "v", "n": [1, 2.5, True, None]}, opts=O(parent=g))
b = Thing("b", value=a.token, password=pulumi.Output.secret("canary"), opts=O(provider=there, depends_on=[g]))
c = Thing("c", file=pulumi.StringAsset("hello"), opts=O(protect=False, additional_secret_outputs=["token"]))
g.register_outputs({"token": a.token})
pulumi.export("token", b.token)
pulumi.export("secret", pulumi.Output.secret("canary"))
"""


class Cli:
    """The Pulumi CLI on a stack's own file backend, with the null provider as a plugin."""

    def __init__(self, stack: Stack) -> None:
        stack.world = World(stack.root / "world")
        self.root = stack.root
        (stack.root / "state").mkdir(exist_ok=True)
        plugin = stack.root / "plugin"
        plugin.mkdir()
        (plugin / "PulumiPlugin.yaml").write_text("runtime: python\n")
        launcher = plugin / "pulumi-resource-null"
        launcher.write_text(f"#!/bin/sh\ncd {CHECKOUT} && exec {sys.executable} -m tests.local.engine.null_plugin\n")
        launcher.chmod(0o755)
        (stack.root / "Pulumi.yaml").write_text(
            "name: proj\nruntime:\n  name: python\n  options:\n    toolchain: pip\n"
            "plugins:\n  providers:\n    - name: null\n      path: plugin\n".replace("name: null", 'name: "null"')
        )
        self.environment = {
            **os.environ, "PULUMI_BACKEND_URL": f"file://{stack.root / 'state'}", "PULUMI_CONFIG_PASSPHRASE": "pass",
            "PULUMI_SKIP_UPDATE_CHECK": "true", "NULL_WORLD": str(stack.root / "world"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PULUMI_HOME": str(stack.root / "pulumi-home"),
        }  # fmt: skip

    def run(self, *arguments: str) -> str:
        ended = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"], cwd=self.root, env=self.environment, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def operations(self) -> dict[str, int]:
        preview: dict[str, Any] = json.loads(self.run("preview", "--stack", "test", "--json"))
        return {op: count for op, count in preview["changeSummary"].items() if op != "same"}


def test_the_cli_finds_nothing_to_do_after_the_embedded_engine(stack: Stack) -> None:
    cli = Cli(stack)
    assert not stack.up(PROGRAM).errors
    assert cli.operations() == {}


def test_the_embedded_engine_finds_nothing_to_do_after_the_cli(stack: Stack) -> None:
    cli = Cli(stack)
    stack.write(PROGRAM)
    cli.run("stack", "init", "organization/proj/test", "--no-select")
    cli.run("up", "--stack", "test", "--yes", "--skip-preview")
    assert changed(stack.preview()) == {}
    assert stack.world.names() == ["a", "b", "c"]
    assert changed(stack.up()) == {}
    assert cli.operations() == {}
    assert not stack.engine().destroy().errors
    assert stack.world.all() == {}
