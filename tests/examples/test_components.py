"""Each component has a program of its own among the examples, which needs nothing of the others."""

from __future__ import annotations

import ast
import runpy
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.naming import component_type
from reference.components import component_classes
from tests.components.mocks import Cloud, run

HERE = Path(__file__).resolve().parents[2] / "examples/components"
PROGRAMS = sorted(file.stem for file in HERE.glob("*.py") if file.stem != "__main__")
CONFIG = {
    "aws:region": "us-east-1", "own-program:zone_id": "Z0123456789ABCDEFGHIJ", "own-program:key_arn": "arn:key",
    "own-program:instance_profile_name": "profile",
}  # fmt: skip

MAY_IMPORT = {
    "components", "ipaddress", "json", "pathlib", "pulumi", "pulumi_aws", "pulumi_gcp", "pulumi_kubernetes",
}  # fmt: skip
DATA_CENTRE = ("StackConfig", "components.datacenter", "components.config", "components.file_systems")


@pytest.fixture(autouse=True)
def config() -> Iterator[None]:
    pulumi.runtime.set_all_config(CONFIG)
    yield
    pulumi.runtime.set_all_config({})


@cache
def declared(file: str) -> tuple[Cloud, dict[str, Any]]:
    """What a program registers, and its exports."""

    def declare() -> dict[str, Any]:
        runpy.run_path(str(HERE / file))
        stack: Any = pulumi.runtime.get_root_resource()
        return dict(stack.outputs)

    return run(declare, project="own-program")


@pytest.mark.parametrize("kind", list(component_classes()), ids=lambda kind: kind.__name__)
def test_a_component_has_a_program_that_makes_it_and_exports_what_it_gives(kind: type[pulumi.Resource]) -> None:
    cloud, exported = declared(f"{kind.__module__.rpartition('.')[2]}.py")
    assert component_type(kind) in {resource.typ for resource in cloud.resources}
    assert exported


def test_karpenter_s_pools_use_the_key_and_the_profile_that_its_role_may_use() -> None:
    """The first program gives what the second one asks for, under the same names."""
    exported, (cloud, _) = declared("karpenter.py")[1], declared("karpenter_pools.py")
    assert not cloud.of("aws:kms/key:Key")
    (made,) = cloud.of("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass").values()
    asked = {"key_arn": "arn:key", "instance_profile_name": "profile"}
    (disk,) = made["spec"]["blockDeviceMappings"]
    assert {"key_arn": disk["ebs"]["kmsKeyID"], "instance_profile_name": made["spec"]["instanceProfile"]} == asked
    assert asked.keys() <= exported.keys()


def imported(file: Path) -> set[str]:
    """The first names of what a program imports."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | named}


def test_a_program_is_whole_in_its_file_and_needs_no_stack_file_and_no_data_centre() -> None:
    for name in PROGRAMS:
        file = HERE / f"{name}.py"
        assert imported(file) <= MAY_IMPORT, name
        assert not [word for word in DATA_CENTRE if word in file.read_text()], name


def chosen(name: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """What the project registers when its stack names a program."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    pulumi.runtime.set_all_config({**CONFIG, "own-program:component": name})

    def declare() -> None:
        runpy.run_path(str(HERE / "__main__.py"))

    return run(declare, project="own-program")[0]


def test_the_project_runs_the_program_that_its_stack_names(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {resource.typ for resource in chosen("guardduty", monkeypatch).resources}
    assert "aws:guardduty/detector:Detector" in kinds
    assert "aws:ec2/vpc:Vpc" not in kinds


@pytest.mark.parametrize("name", ["netwrok", "../network", "__main__", ""])
def test_a_program_that_is_not_there_is_told_with_those_that_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pulumi.RunError, match="There are: alerts, ") as told:
        chosen(name, monkeypatch)
    assert ('Did you mean "network"?' in str(told.value)) == ("net" in name)
