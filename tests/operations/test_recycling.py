"""A preview says which pools a change recycles, from what the state and the stack file say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from operations.recycling import recycled
from operations.workplace import Workplace
from tests.components.stack_files import GOOD


def place(tmp_path: Path, text: str = GOOD) -> Workplace:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(text)
    return cast(Workplace, SimpleNamespace(stack_file=file))


def stood(*pools: Any) -> dict[str, Any]:
    return {"datacenter": {"cluster": {"version": "1.34"}, "pools": pools}}


CPU = {"name": "cpu", "settings": {"instance_type": "m7i.large", "desired_size": 2}}


def test_a_pool_that_changes_is_told_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    assert recycled(place(tmp_path), stood(CPU)) == {}
    found = recycled(
        place(tmp_path, GOOD.replace("desired_size: 2", "desired_size: 2\n      disk_size_gb: 300")), stood(CPU)
    )
    assert found["cpu"]["effect"] == "roll"
    assert found["cpu"]["nodes"] == 2
    assert found["cpu"]["because"] == ["disk_size_gb"]
    assert "2 nodes are recycled" in found["cpu"]["sentence"]


def test_what_the_state_does_not_say_is_left_to_the_steps(tmp_path: Path) -> None:
    for outputs in (
        {}, {"datacenter": "?"}, stood({"name": "cpu"}), stood({"name": "gone", "settings": {}}),
        stood({"name": "cpu", "settings": {"instance_type": "m7i.large", "desired_size": 2, "retired": 1}}),
        {"datacenter": {"cluster": {"version": "1.12"}, "pools": [CPU]}},
    ):  # fmt: skip
        assert recycled(place(tmp_path), outputs) == {}
