"""Valid stack files pass and come back the same; spoilt ones are told with their place; nothing ends otherwise."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from components.config import ConfigurationError, StackConfig, load, load_values
from components.datacenter import Datacenter, aws_provider
from components.settings import PROJECT
from reference.schema import schema

from .mocks import run
from .strategies import Broken, Values, broken_stacks, stack_text, stacks

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
FEW = settings(max_examples=10, deadline=None, suppress_health_check=SLOW, phases=PHASES)
MANY = settings(FEW, max_examples=1000)
ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft7Validator(schema())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stacks") / "Pulumi.test.yaml"


def loaded(file: Path, text: str) -> StackConfig:
    file.write_text(text, encoding="utf-8")
    return load(file)


def as_the_cli_hands_them(values: Values) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def written(config: StackConfig) -> Values:
    """The configuration as a stack file would say it in full."""
    dumped: dict[str, Any] = config.model_dump(mode="json", by_alias=True)
    values = {f"aws:{name}": value for name, value in dumped.pop("aws").items()}
    return values | {f"{PROJECT}:{name}": value for name, value in dumped.items()}


def passes(file: Path, values: Values) -> None:
    config = loaded(file, stack_text(values))
    assert load_values(file, as_the_cli_hands_them(values)) == config
    assert loaded(file, stack_text(written(config))) == config
    VALIDATOR.validate({"config": values})


def is_told(file: Path, broken: Broken) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loaded(file, broken.text)
    lines = broken.text.splitlines()
    for problem in raised.value.problems:
        assert 1 <= problem.line <= len(lines) + 1
        assert 1 <= problem.column <= max(map(len, lines)) + 1
        assert problem.message
        assert len(str(problem)) < 3000


@FEW
@given(values=stacks())
def test_a_valid_stack_passes_and_comes_back_the_same(file: Path, values: Values) -> None:
    passes(file, values)


@FEW
@given(broken=broken_stacks())
def test_a_spoilt_stack_is_told_with_its_place(file: Path, broken: Broken) -> None:
    is_told(file, broken)


def declared(config: StackConfig) -> list[str]:
    """Everything that the program declares for the configuration, as text, in an order of its own."""

    def declare() -> dict[str, Any]:
        folders = {"workloads": ROOT / "workloads", "playbooks": ROOT / "playbooks"}
        return Datacenter(config, "test", aws_provider(config, "test"), **folders).outputs()

    cloud, outputs = run(declare, stack="test")
    texts = [json.dumps([one.typ, one.name, one.inputs], sort_keys=True, default=vars) for one in cloud.resources]
    return [*sorted(texts), json.dumps(outputs, sort_keys=True, default=str)]


def previews_the_same_twice(file: Path, values: Values) -> None:
    config = loaded(file, stack_text(values))
    first = declared(config)
    assert first == declared(load(file))
    nodes = [text for text in first if text.startswith('["aws:eks/nodeGroup:NodeGroup"')]
    assert len(nodes) == len(config.pools)


@settings(FEW, max_examples=2)
@given(values=stacks())
def test_a_valid_stack_previews_the_same_twice(file: Path, values: Values) -> None:
    previews_the_same_twice(file, values)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def passes_or_is_told(file: Path, values: Values, key: int, value: Any) -> None:
    values[sorted(values)[key]] = value
    for read in (lambda: loaded(file, stack_text(values)), lambda: load_values(file, as_the_cli_hands_them(values))):
        with contextlib.suppress(ConfigurationError):
            assert isinstance(read(), StackConfig)


@FEW
@given(values=stacks(), key=st.integers(0, 5), value=ANYTHING)
def test_anything_in_a_key_s_place_passes_or_is_told(file: Path, values: Values, key: int, value: Any) -> None:
    passes_or_is_told(file, values, key, value)


@settings(FEW, max_examples=20)
@given(text=st.text(max_size=60) | st.binary(max_size=60))
def test_any_bytes_are_no_stack_file_and_told(file: Path, text: str | bytes) -> None:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError):
        load(file)


@pytest.mark.soak
@pytest.mark.timeout(3600)  # two previews of a second or less each
@MANY
@given(values=stacks())
def test_a_thousand_valid_stacks_preview_the_same_twice(file: Path, values: Values) -> None:
    previews_the_same_twice(file, values)


@pytest.mark.soak
@MANY
@given(values=stacks())
def test_a_thousand_valid_stacks_pass(file: Path, values: Values) -> None:
    passes(file, values)


@pytest.mark.soak
@MANY
@given(broken=broken_stacks())
def test_a_thousand_spoilt_stacks_are_told(file: Path, broken: Broken) -> None:
    is_told(file, broken)


@pytest.mark.soak
@MANY
@given(values=stacks(), key=st.integers(0, 5), value=ANYTHING)
def test_anything_in_a_thousand_keys_places_passes_or_is_told(file: Path, values: Values, key: int, value: Any) -> None:
    passes_or_is_told(file, values, key, value)
