"""Every stack file that is written loads, and none that is there is lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from components.accelerators import CATALOGUE, Cloud, regions_with, zones_of
from components.config import load
from operations.sizing import stack_file
from operations.sizing.formulas import shape_of
from operations.sizing.machines import Machine, machine, machines
from operations.sizing.model import Option, Request
from operations.sizing.plan import plan
from operations.sizing.stack_file import StackFileError, write


def can_be_written(option: Option) -> bool:
    row = CATALOGUE[option.instance_type]
    return row.cloud is Cloud.AWS and row.first_efa_card is not None


@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.integers(10**8, 10**12), st.integers(10**9, 10**14), st.data())
def test_a_plan_that_is_written_loads(
    tmp_path_factory: pytest.TempPathFactory, parameters: int, tokens: int, data: st.DataObject
) -> None:
    asked = Request(model=shape_of(parameters, 8192), tokens=tokens, batch_tokens=16 * 10**6, mfu=0.4)
    found = plan(asked)
    options = [option for option in found.options if can_be_written(option)]
    if not options:
        return
    option = data.draw(st.sampled_from(options))
    regions = [name for name in regions_with(option.instance_type) or () if len(zones_of(name) or ()) >= 3]
    region = data.draw(st.sampled_from([None, *regions]))
    file = tmp_path_factory.mktemp("stack") / "Pulumi.big.yaml"
    write(found, option, file, region)
    config = load(file)
    pool = config.pools["train"]
    assert (config.name, config.smoke_test.pool) == ("aidc-big", "train")
    assert config.aws.region == (region or stack_file.region_for(option, None))
    assert (pool.instance_type, pool.desired_size) == (option.instance_type, option.machines)
    assert pool.most == option.machines + option.spares
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.fixture
def real(request_70b: Request) -> Machine:
    return next(kind for kind in machines() if kind.utilisations)


def test_a_file_that_is_there_stays_without_force(tmp_path: Path, request_70b: Request, real: Machine) -> None:
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text("mine")
    found = plan(request_70b, [real])
    with pytest.raises(StackFileError, match="--force"):
        write(found, found.options[0], file, "us-east-1")
    assert file.read_text() == "mine"
    write(found, found.options[0], file, "us-east-1", force=True)
    assert load(file).name == "aidc-mine"


def test_a_file_that_comes_meanwhile_stays(
    tmp_path: Path, request_70b: Request, real: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Pulumi.mine.yaml"
    monkeypatch.setattr(stack_file, "load", lambda _draft: file.write_text("theirs"))
    found = plan(request_70b, [real])
    with pytest.raises(StackFileError, match="meanwhile"):
        write(found, found.options[0], file, "us-east-1")
    assert file.read_text() == "theirs"


def test_a_stack_file_goes_into_a_pipe_and_takes_the_place_of_none(
    tmp_path: Path, request_70b: Request, real: Machine
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = plan(request_70b, [real])
    with ThreadPoolExecutor() as pool:
        reader = pool.submit(pipe.read_text)
        write(found, found.options[0], pipe, "us-east-1", force=True)
        assert "ai-datacenter:pools" in reader.result(30)
    assert pipe.is_fifo()


def test_what_a_stack_file_cannot_say_is_refused_before_anything_is_written(
    tmp_path: Path, request_70b: Request, real: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plan(request_70b, [real])
    monkeypatch.setattr(stack_file, "_cpu_type", lambda: "m0.none")
    with pytest.raises(StackFileError, match=r"m0\.none"):
        write(found, found.options[0], tmp_path / "Pulumi.x.yaml")
    assert not list(tmp_path.iterdir())


def test_a_region_that_does_not_sell_the_type_is_refused_with_those_that_do(
    tmp_path: Path, request_70b: Request
) -> None:
    found = plan(replace(request_70b, mfu=0.4), [machine("p6-b300.48xlarge")])
    with pytest.raises(StackFileError, match=r"eu-central-1 does not sell p6-b300\.48xlarge; these do: .*us-east-1"):
        write(found, found.options[0], tmp_path / "Pulumi.x.yaml", "eu-central-1")


def test_a_region_of_which_nothing_is_known_is_written_and_one_that_is_none_is_refused_by_its_name(
    tmp_path: Path, request_70b: Request, real: Machine
) -> None:
    found = plan(request_70b, [real])
    assert zones_of("ap-southeast-7") is None
    assert stack_file.region_for(found.options[0], "ap-southeast-7") == "ap-southeast-7"
    with pytest.raises(StackFileError, match=r"us-esat-1 is no region that is known; .*us-east-1"):
        write(found, found.options[0], tmp_path / "Pulumi.x.yaml", "us-esat-1")


def test_a_type_that_only_comes_in_capacity_blocks_is_written_so(request_70b: Request) -> None:
    found = plan(replace(request_70b, mfu=0.4), [machine("p6e-gb200.36xlarge")])
    assert "capacity: capacity_block" in stack_file.text(found, found.options[0], "aidc-x", "us-east-1")


def test_a_type_whose_fabric_is_unknown_is_refused_with_the_reason(tmp_path: Path, request_70b: Request) -> None:
    found = plan(replace(request_70b, mfu=0.4), [machine("p6e-gb200.36xlarge")])
    with pytest.raises(StackFileError, match="cannot say this option yet, choose another: on which network cards"):
        write(found, found.options[0], tmp_path / "Pulumi.x.yaml")
    assert not list(tmp_path.iterdir())


def test_a_tpu_is_no_machine_of_ec2(tmp_path: Path, request_70b: Request) -> None:
    found = plan(replace(request_70b, mfu=0.4), [machine("ct5p-hightpu-4t")])
    with pytest.raises(StackFileError, match=r"ct5p-hightpu-4t is no machine of EC2"):
        write(found, found.options[0], tmp_path / "Pulumi.x.yaml")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, request_70b: Request, real: Machine) -> None:
    found = plan(request_70b, [real])
    with pytest.raises(StackFileError, match=os.strerror(2)):
        write(found, found.options[0], tmp_path / "none" / "Pulumi.x.yaml", "us-east-1")


@pytest.mark.parametrize(
    ("file", "name"),
    [("Pulumi.x.yaml", "aidc-x"), ("Pulumi.A B.yaml", "aidc-train"), (f"Pulumi.{'x' * 40}.yaml", "aidc-train")],
)
def test_the_stack_names_its_data_centre_where_that_makes_a_name(file: str, name: str) -> None:
    assert stack_file.name_of(Path(file)) == name


def test_the_run_is_told_in_the_file(request_70b: Request, real: Machine) -> None:
    found = plan(replace(request_70b, deadline_s=None), [real])
    assert "# Written by `aidc size`: 70B parameters on 1.4T tokens in " in stack_file.text(
        found, found.options[0], "aidc-x", "us-east-1"
    )
