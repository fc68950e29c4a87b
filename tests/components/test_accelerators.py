"""The catalogue is complete, and the only place of its numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from components.accelerators import CATALOGUE, InstanceType

COMPONENTS = Path(__file__).resolve().parents[2] / "components"


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_a_row_is_whole(row: InstanceType) -> None:
    assert (row.chip is None) == (row.chips == 0) == (row.device_resource is None)
    assert row.efa_interfaces in (0, row.network_cards)
    assert row.price is None or row.price.usd_per_hour > 0
    assert json.loads(json.dumps(row.row()))["instance_type"] == row.name


def test_no_other_file_repeats_the_catalogue() -> None:
    names = re.compile("|".join(re.escape(name) for name in CATALOGUE))
    resources = re.compile(r"nvidia\.com/gpu|aws\.amazon\.com/neuron|vpc\.amazonaws\.com/efa|AL2023_")
    for file in COMPONENTS.glob("*.py"):
        if file.name != "accelerators.py":
            text = file.read_text()
            assert not names.search(text), file.name
            assert not resources.search(text), file.name
