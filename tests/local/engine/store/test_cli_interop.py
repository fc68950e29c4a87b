"""One state, two engines: what either writes the other reads, and neither enters where the other is at work."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.engine.store import (
    Operation,
    ResourceState,
    Secret,
    SecretsManager,
    Snapshot,
    StateLocked,
    StateStore,
    environment_for_cli,
)
from local.engine.store.checkpoint import utc_now
from local.engine.store.model import ASSET_SIGNATURE, SIGNATURE_KEY

pytestmark = pytest.mark.cli

PROGRAM = """
import os, pulumi, time
class Rack(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("shop:index:Rack", name, {}, opts)
rack = Rack("rack")
Rack("shelf", pulumi.ResourceOptions(parent=rack))
pulumi.export("hidden", pulumi.Output.secret({"key": ["canary-ä", 1, 2.5, None]}))
if "WAIT_FOR" in os.environ:
    open(os.environ["WAIT_FOR"] + ".begun", "w").close()
    while not os.path.exists(os.environ["WAIT_FOR"]):
        time.sleep(0.05)
"""
STACK_FILE = "# kept as it is\nconfig:\n  shop:size:   3\n"
PROJECT = f"""
name: shop
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {sys.prefix}
"""


@dataclasses.dataclass(frozen=True)
class Checkout:
    """A small project with a state, and the CLI."""

    root: Path

    def store(self, notices: list[str] | None = None) -> StateStore:
        secrets = SecretsManager.of_environment(self.passphrase)
        return StateStore(self.root / "data/state", "shop", "dev", secrets, ([] if notices is None else notices).append)

    @property
    def passphrase(self) -> Path:
        return self.root / "data/passphrase"

    @property
    def stack_file(self) -> Path:
        return self.root / "Pulumi.dev.yaml"

    def environment(self) -> dict[str, str]:
        given = environment_for_cli(
            self.store(), self.passphrase, "dev", self.stack_file, self.root / "data/Pulumi.dev.yaml"
        )
        return {**os.environ, "PULUMI_HOME": str(self.root / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true", **given}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        command = ["pulumi", "--non-interactive", *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=self.root, env={**self.environment(), **variables}, **pipes)

    def pulumi(self, *arguments: str, expect: int = 0) -> str:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == expect, said
        return said

    def exported(self) -> list[dict[str, Any]]:
        return json.loads(self.pulumi("stack", "export", "--show-secrets"))["deployment"].get("resources", [])


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK_FILE)
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return Checkout(tmp_path)


def write(store: StateStore, snapshot: Snapshot) -> None:
    with store.lock("up"), store.journal(store.open()):
        store.commit(snapshot)


def a_full_resource() -> tuple[ResourceState, ...]:
    """A stack, a provider, and a resource that uses every field."""
    stack = ResourceState(
        urn="urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type="pulumi:pulumi:Stack", custom=False
    )
    provider = ResourceState(
        urn="urn:pulumi:dev::shop::pulumi:providers:cloud::west", type="pulumi:providers:cloud", custom=True, id="p1"
    )
    asset = {SIGNATURE_KEY: ASSET_SIGNATURE, "hash": "2cf24dba5fb0a30e", "text": "hello"}
    bucket = ResourceState(
        urn="urn:pulumi:dev::shop::cloud:index:Bucket::data",
        type="cloud:index:Bucket",
        custom=True,
        id="data-1",
        inputs={"name": "d\u2028ä\U0001f600", "tags": {"z": None, "a": [1.0, 2.5, True]}, "key": Secret({"k": ["s"]})},
        outputs={"body": asset, "token": Secret("canary"), "nested": {"x": [Secret(None)]}},
        parent=stack.urn,
        provider=provider.reference,
        dependencies=(stack.urn,),
        property_dependencies={"name": (stack.urn,), "tags": ()},
        protect=True,
        retain_on_delete=True,
        aliases=("urn:pulumi:dev::shop::cloud:index:Bucket::old",),
        init_errors=("it did not become ready",),
        additional_secret_outputs=("token",),
        custom_timeouts={"create": 600},
        import_id="data-1",
        created=utc_now(),
        modified=utc_now(),
        source_position="project:///__main__.py#12,3",
        ignore_changes=("tags",),
        replace_on_changes=("name",),
    )
    return stack, provider, bucket, dataclasses.replace(bucket, id="data-0", delete=True, protect=False)


def test_the_cli_reads_what_we_wrote_to_the_last_field(checkout: Checkout) -> None:
    resources = a_full_resource()
    pending = Operation("updating", resources[2])
    write(checkout.store(), Snapshot(resources, (pending,)))
    before = checkout.store().open()
    assert checkout.exported()[2]["outputs"]["token"]["plaintext"] == '"canary"'
    # The CLI's own rewriting of it, read again by us, is the same state: nothing was lost on its way through it.
    checkout.pulumi("stack", "export", "--file", "exported.json")
    exported = json.loads((checkout.root / "exported.json").read_text())["deployment"]
    assert [pending["type"] for pending in exported["pending_operations"]] == ["updating"]
    checkout.pulumi("stack", "import", "--file", "exported.json")
    after = checkout.store().open()
    assert after.resources == before.resources
    assert after.pending_operations == (), "`stack import` is how the CLI forgets them"
    assert after.salt == before.salt


def test_we_read_what_the_cli_wrote_and_it_goes_on_where_we_stopped(checkout: Checkout) -> None:
    checkout.pulumi("up", "--yes", "--skip-preview")
    store = checkout.store()
    snapshot = store.open()
    assert [state.name for state in snapshot.resources] == ["shop-dev", "rack", "shelf"]
    assert snapshot.resources[0].outputs == {"hidden": Secret({"key": ["canary-ä", 1, 2.5, None]})}
    exported = checkout.exported()
    with store.lock("up"), store.journal(store.open()) as journal:
        journal.record(put=[snapshot.resources[0]])
        store.commit(journal.snapshot())
    assert checkout.exported() == exported
    assert "3 unchanged" in checkout.pulumi("preview", "--expect-no-changes")


def test_the_cli_goes_on_after_a_killed_run_of_ours_and_leaves_the_checkout_as_it_was(checkout: Checkout) -> None:
    checkout.pulumi("up", "--yes", "--skip-preview")
    store = checkout.store()
    shelf = store.open().resources[2]
    with store.lock("up"), store.journal(store.open()) as journal:
        journal.end(journal.begin("deleting", shelf), remove=[shelf])
    assert "1 to create" in checkout.pulumi("preview")
    assert checkout.stack_file.read_text() == STACK_FILE
    assert sorted(
        path.name for path in checkout.root.iterdir() if path.name not in ("data", "home", "__pycache__")
    ) == [
        "Pulumi.dev.yaml",
        "Pulumi.yaml",
        "__main__.py",
    ]


def test_the_cli_refuses_a_stack_that_we_are_at_work_on(checkout: Checkout) -> None:
    environment = checkout.environment()
    with checkout.store().lock("up"):
        refused = subprocess.run(
            ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],
            cwd=checkout.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert refused.returncode
    assert f"(pid {os.getpid()})" in refused.stdout + refused.stderr


def test_we_refuse_a_stack_that_the_cli_is_at_work_on_and_take_over_when_it_was_killed(checkout: Checkout) -> None:
    go = checkout.root / "data" / "go"
    working = checkout.start("up", "--yes", "--skip-preview", WAIT_FOR=str(go))
    try:
        for _ in range(1200):
            if Path(f"{go}.begun").exists() or working.poll() is not None:
                break
            subprocess.run(["sleep", "0.05"], check=True)
        store = checkout.store(notices := [])
        with pytest.raises(StateLocked, match=rf"process {working.pid} of"), store.lock("up"):
            pass
    finally:
        working.kill()
        go.touch()
        working.communicate()
    with store.lock("up"):
        store.open()
    assert f"process {working.pid}" in notices[0]
