"""One measurement in a process of its own: ``python -m benchmarks.once SUBJECT COUNT [FILE]`` prints it as JSON.

Subjects: ``up`` (resources of a provider that does nothing), ``groups`` (``up`` of log groups on the local AWS),
``pools`` (a preview of the project's own program with COUNT node pools), ``record`` (the same, written to FILE),
``bare`` (a preview of a program that registers what FILE holds and nothing else: the same resources without components,
configuration and arithmetic) and ``cheapest`` (a preview of COUNT log groups, which have two inputs).
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.plain import PROGRAM, recording
from local import moto
from local.engine import CollectingDisplay, Engine, Result, load_project
from local.engine.store import SecretsManager, StateStore
from local.paths import CHECKOUT, DataRoot
from operations.session import providers
from setup.host import NODES, PROCESSES

NOTHING = """
import pulumi

class Thing(pulumi.CustomResource):
    def __init__(self, name, **props):
        super().__init__("null:index:Thing", name, props)

for number in range({count}):
    Thing(f"thing-{{number:05}}", value=str(number))
"""

GROUPS = """
import pulumi_aws as aws

for number in range({count}):
    aws.cloudwatch.LogGroup(f"group-{{number:05}}", name=f"group-{{number:05}}", retention_in_days=30)
"""


def main(subject: str, count: int, file: str = "") -> dict[str, float]:
    """Seconds, and the number of resources, of one run."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AI_DATACENTER_HOME"] = str(Path(folder) / "datacenter")
        os.environ[NODES] = PROCESSES  # no node is measured, and processes leave no network to be taken down
        result = SUBJECTS[subject](Path(folder), count, Path(file))
    if result.errors:
        sys.exit("\n".join(error.message for error in result.errors))
    return {"seconds": result.duration_s, "resources": sum(result.changes.values())}


def up_of_nothing(folder: Path, count: int, _: Path) -> Result:
    """An ``up`` whose provider does nothing: what the engine itself costs."""
    from tests.local.engine.null_provider import NullProvider, World

    world = World()
    _project(folder, NOTHING.format(count=count))
    return _engine(folder, {"null": lambda: NullProvider(world, adopts=False)}).up()


def preview_of_log_groups(folder: Path, count: int, _: Path) -> Result:
    """A preview of a program that is nothing but the cheapest resources."""
    _project(folder, GROUPS.format(count=count))
    return _engine(folder, providers(any_account=True)).preview()


def preview_of_registered(folder: Path, _: int, file: Path) -> Result:
    """A preview of a program that registers what ``file`` holds, plainly."""
    _project(folder, PROGRAM.format(file=str(file)))
    return _engine(folder, providers(any_account=True)).preview()


def up_of_log_groups(folder: Path, count: int, _: Path) -> Result:
    """An ``up`` of log groups on a local AWS of its own."""
    root = DataRoot.of_environment()
    moto.ensure(root)
    try:
        _project(folder, GROUPS.format(count=count))
        return _engine(folder, providers(any_account=True)).up()
    finally:
        moto.stop(root)


def preview_of_pools(folder: Path, count: int, _: Path) -> Result:
    """A preview of the project's own program with many pools."""
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(CHECKOUT / name, folder)
    for name in ("components", "playbooks", "workloads"):
        (folder / name).symlink_to(CHECKOUT / name)
    (folder / "Pulumi.bench.yaml").write_text(_stack_with_pools(count))
    return _engine(folder, providers(any_account=True)).preview()


def record_pools(folder: Path, count: int, file: Path) -> Result:
    """The same, and what it registered in ``file``."""
    with recording(file):
        return preview_of_pools(folder, count, file)


def _stack_with_pools(count: int) -> str:
    yaml = YAML(typ="safe", pure=True)
    stack = yaml.load((CHECKOUT / "Pulumi.local.yaml").read_text())
    pools = stack["config"]["ai-datacenter:pools"]
    pools |= {f"pool-{number:04}": dict(pools["cpu"]) for number in range(1, count)}
    text = io.StringIO()
    yaml.dump(stack, text)
    return text.getvalue()


def _project(folder: Path, program: str) -> None:
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (folder / "Pulumi.bench.yaml").write_text("config:\n  aws:region: us-east-1\n")
    (folder / "__main__.py").write_text(program)


def _engine(folder: Path, factories: Mapping[str, Callable[[], Any]]) -> Engine:
    project = load_project(folder, "bench")
    store = StateStore(folder / "state", project.name, "bench", SecretsManager("a passphrase for nothing"))
    return Engine(project, store, factories, CollectingDisplay())


SUBJECTS: dict[str, Callable[[Path, int, Path], Result]] = {
    "up": up_of_nothing,
    "groups": up_of_log_groups,
    "pools": preview_of_pools,
    "record": record_pools,
    "bare": preview_of_registered,
    "cheapest": preview_of_log_groups,
}

if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])))
