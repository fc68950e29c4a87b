"""`aidc size`: every wrong value is told at once, data goes to stdout, and a stack file is written when asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.config import load
from operations.cli import main

GOOD = ["size", "--parameters", "70B", "--tokens", "1.4T", "--deadline", "30d"]


@pytest.fixture(autouse=True)
def _apart(data_root: Path) -> None:
    """No test touches the data root."""


def test_a_plan_is_shown_with_what_was_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(GOOD) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    for words in ("option 1", "70B parameters", "1.4T tokens", "assumed", "sequences of 8,192 tokens", "best at"):
        assert words in shown.out


def test_the_data_is_json_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GOOD, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["options"][0]["chips"] > 0


def test_tokens_that_are_not_said_are_chinchillas_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--parameters", "70B"]) == 0
    shown = capsys.readouterr().out
    assert "1.4T tokens" in shown
    assert "20 tokens a parameter (Chinchilla)" in shown
    assert "no deadline: at most 365 days" in shown


def test_everything_wrong_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"--parameters": "7X", "--tokens": "-2T", "--deadline": "30", "--budget": "2M", "--mfu": "nan",
             "--sequence": "8k", "--batch": "x", "--checkpoint-rate": "1", "--type": "p5.48xlarg"}  # fmt: skip
    assert main(["size", *(word for pair in wrong.items() for word in pair)]) == 4
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in told] != []
    assert {line.split()[0] for line in told} == set(wrong)
    assert 'Did you mean "p5.48xlarge"?' in told[-1]


OPTIONS = ("parameters", "tokens", "sequence", "batch", "deadline", "budget", "layers", "width", "mfu", "type",
           "option", "checkpoint-rate", "precision", "region")  # fmt: skip
TYPED = st.text(max_size=8) | st.from_regex(r"\A\$?[0-9]{1,4}(\.[0-9]{1,2})?(e[0-9]{1,2})?[KMBThdw%]?\Z")


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(OPTIONS), TYPED, max_size=5))
def test_nothing_that_is_typed_ends_in_a_traceback(typed: dict[str, str]) -> None:
    words = {"parameters": "7B", "type": "p5.48xlarge"} | typed
    assert main(["size", *(f"--{name}={text}" for name, text in words.items())]) in (0, 1, 4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--parameters is missing"),
        (["--parameters", "70B", "--layers", "4", "--width", "128"], "786K parameters (12·L·d²), not 70B"),
        (["--parameters", "70B", "--type", "m7i.large"], "has no accelerators"),
        (["--parameters", "70B", "--write", "Pulumi.x.yaml", "--region", "us-west-9"], 'Did you mean "us-west-'),
        (["--parameters", "70B", "--write", "Pulumi.x.yaml", "--option", "99"], "--option 99 is none of the options"),
        (["--parameters", "70B", "--write", "x.yaml"], "--write x.yaml: a stack file is called Pulumi.<stack>.yaml"),
        (["--parameters", "70B", "--option", "2", "--force"], "--option, --force: of use only with --write"),
        (["--parameters", "70B", "--region", "us-west-9"], 'Did you mean "us-west-'),
    ],
)
def test_what_cannot_be_meant_is_a_configuration_error(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["size", *words]) == 4
    assert said in capsys.readouterr().err
    assert not any(Path(name).exists() for name in ("x.yaml", "Pulumi.x.yaml"))


def test_what_nothing_can_do_is_told_by_type_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--parameters", "10T", "--deadline", "1h"]) == 1
    assert "p5.48xlarge: takes " in capsys.readouterr().err


def test_the_chosen_option_is_written_and_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Pulumi.big.yaml"
    words = [*GOOD, "--type", "p5.48xlarge", "--write", str(file), "--region", "us-west-2"]
    assert main([*words, "--option", "2"]) == 0
    assert "`aidc preview --stack big`" in capsys.readouterr().err
    first = load(file)
    assert first.aws.region == "us-west-2"
    assert main(words) == 1
    assert "--force" in capsys.readouterr().err
    assert load(file) == first
    assert main([*words, "--force"]) == 0
    assert load(file).pools["train"].desired_size < first.pools["train"].desired_size


def test_the_check_compares_with_published_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--check"]) == 0
    assert "BLOOM 176B" in capsys.readouterr().out
    assert main(["size", "--check", "--output", "json"]) == 0
    assert {"published", "predicted", "off"} <= set(json.loads(capsys.readouterr().out)[0])
