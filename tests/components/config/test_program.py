"""The program takes its configuration from ``pulumi.Config``; the file only says where an error stands."""

from __future__ import annotations

import contextvars
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.config import ConfigurationError, StackConfig, load, load_values
from components.config.program import load_program
from local.engine import load_project

ROOT = Path(__file__).resolve().parents[3]
GOOD = """config:
  aws:region: us-east-1
  aws:allowedAccountIds: ["123456789012"]
  ai-datacenter:name: aidc-test
  ai-datacenter:network: {cidr: 10.0.0.0/16}
  ai-datacenter:pools:
    cpu: {instance_type: m7i.large, desired_size: 2}
  ai-datacenter:smoke_test: {pool: cpu}
"""


def handed(file: Path, **changes: str) -> dict[str, str]:
    """What the CLI and the embedded engine hand a program for a stack file, with ``--config`` of some keys."""
    (file.parent / "Pulumi.yaml").write_text("name: ai-datacenter\nruntime: python\n")
    stack = file.name.split(".")[1]
    return {
        **load_project(file.parent, stack).config,
        **{f"ai-datacenter:{key}": text for key, text in changes.items()},
    }


def stack_file(folder: Path, text: str = GOOD) -> Path:
    file = folder / "Pulumi.test.yaml"
    file.write_text(text)
    return file


def through_pulumi(file: Path, values: dict[str, str], secret_keys: list[str]) -> StackConfig:
    def read() -> StackConfig:
        pulumi.runtime.set_all_config(values, secret_keys)
        return load_program(file)

    return contextvars.copy_context().run(read)


@pytest.mark.parametrize("file", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_the_program_and_aidc_read_the_same_out_of_a_committed_stack_file(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_text(file.read_text())
    assert through_pulumi(copy, handed(copy), []) == load(file)


@pytest.mark.parametrize(
    ("old", "new"),
    [("m7i.large", "m7i.larg"), ("10.0.0.0/16", "10.0.0.0/8"), ("{pool: cpu}", "{pool: gpu, x: 1}"), ("us-e", "eu-e"),
     ("aidc-test", "1.34"), ("desired_size: 2", "desired_size: 010"), ("{pool: cpu}", "")],
)  # fmt: skip
def test_the_program_and_aidc_refuse_the_same_with_the_same_words(tmp_path: Path, old: str, new: str) -> None:
    file = stack_file(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigurationError) as of_aidc:
        load(file)
    with pytest.raises(ConfigurationError) as of_program:
        through_pulumi(file, handed(file), [])
    assert str(of_aidc.value) == str(of_program.value)


def test_what_comes_from_elsewhere_wins_over_the_file(tmp_path: Path) -> None:
    file = stack_file(tmp_path)
    values = handed(file, name="other", retain_data="false", smoke_test='{"pool": "cpu", "steps": 3}')
    found = through_pulumi(file, values, [])
    assert (found.name, found.retain_data, found.smoke_test.steps) == ("other", False, 3)


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("name", "Wrong", "--config or PULUMI_CONFIG: ai-datacenter:name"),
        ("smoke_test", '{"pool": "cpuu"}', "--config or PULUMI_CONFIG: ai-datacenter:smoke_test.pool"),
        ("smoke_test", "{pool: cpu}", "needs a mapping of keys and values, and this is text"),
        ("smoke_test", '{"pool": "cpu", "steps": NaN}', "steps"),
        ("smoke_test", '{"pool": "cpu", "steps": "3"}', "write 3 without quotes"),
        ("natt", "1", "--config or PULUMI_CONFIG: ai-datacenter:natt: no such key"),
        ("retain_data", "no", "boolean"),
    ],
)
def test_what_is_wrong_elsewhere_is_told_as_from_there(tmp_path: Path, key: str, text: str, told: str) -> None:
    file = stack_file(tmp_path)
    with pytest.raises(ConfigurationError) as raised:
        through_pulumi(file, handed(file, **{key: text}), [])
    (problem,) = raised.value.problems
    assert told in str(problem)


def test_a_file_elsewhere_is_no_trouble_to_the_program(tmp_path: Path) -> None:
    values = handed(stack_file(tmp_path))
    assert load_values(tmp_path / "Pulumi.none.yaml", values).name == "aidc-test"


def test_a_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    file = stack_file(tmp_path)
    with pytest.raises(ConfigurationError, match="is a secret") as raised:
        through_pulumi(file, handed(file, name="canary"), ["ai-datacenter:name"])
    assert "canary" not in str(raised.value)


def test_an_environment_variable_reaches_the_program_as_the_sdk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stack_file(tmp_path)
    monkeypatch.setenv("PULUMI_CONFIG_AI_DATACENTER_RETAIN_DATA", "false")
    values: dict[str, Any] = handed(file)
    assert through_pulumi(file, values, []).retain_data is False
