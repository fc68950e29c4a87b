"""What is no input of a type of Google's SDK is told by its path; what is, passes."""

from __future__ import annotations

from typing import Any

import pytest

from components.accelerators import CATALOGUE, TPU_TYPES
from components.accelerators.slices import slice_of
from local.gcp import fidelity, schema
from local.gcp.machine_types import TPUS, MachineType, machine_type
from local.gcp.tables import TYPES
from local.provider import UNKNOWN

POOL = "gcp:container/nodePool:NodePool"


# Importing the SDK's types takes a second.
@pytest.mark.real
@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"cluster": "c", "nodeCount": 2, "nodeConfig": {"labels": {"a": "b"}, "taints": []}}, []),
        ({"cluster": UNKNOWN, "nodeConfig": {"machineType": UNKNOWN}}, []),
        ({}, [("cluster", "is missing")]),
        ({"cluster": "c", "nodecount": 2}, [("nodecount", "is no property of the type; nodeCount is")]),
        ({"cluster": "c", "nodeCount": "2"}, [("nodeCount", "is '2', and must be of the kind int")]),
        ({"cluster": "c", "nodeCount": True}, [("nodeCount", "is True, and must be of the kind int")]),
        ({"cluster": "c", "nodeConfig": []}, [("nodeConfig", "is a list, and must be a mapping of properties")]),
        ({"cluster": "c", "nodeLocations": "a"}, [("nodeLocations", "is a str, and must be a list")]),
        (
            {"cluster": "c", "nodeConfig": {"taints": [{"key": "k", "value": "v"}]}},
            [("nodeConfig.taints[0].effect", "is missing")],
        ),
        (
            {"cluster": "c", "nodeConfig": {"labels": {"a": 1}}},
            [("nodeConfig.labels.a", "is 1, and must be of the kind str")],
        ),
    ],
)
def test_inputs_are_checked_to_the_last_property(inputs: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert [(one.property, one.reason) for one in schema.problems(POOL, inputs)] == told


@pytest.mark.real
@pytest.mark.parametrize("token", TYPES)
def test_every_type_of_the_table_is_one_of_the_sdk_s(token: str) -> None:
    assert schema.arguments(token).__name__.endswith("Args")


def test_only_clusters_and_node_pools_are_more_than_typed() -> None:
    assert {token.rpartition(":")[2] for token in TYPES if fidelity(token) == "realised"} == {"Cluster", "NodePool"}
    assert {fidelity(token) for token in TYPES} == {"realised", "typed only"}


@pytest.mark.parametrize("name", TPU_TYPES)
def test_a_tpu_machine_is_here_what_it_is_in_the_catalogue(name: str) -> None:
    row, here = CATALOGUE[name], TPUS[name]
    assert (here.vcpus, here.memory_gib, here.chips) == (row.vcpus, row.memory_gib, row.chips)
    assert here.accelerator == row.gke_accelerator
    alone = slice_of(row, here.alone)
    assert alone is not None
    assert alone.hosts == 1


def test_general_machines_are_read_off_their_names_and_others_are_unknown() -> None:
    assert machine_type("e2-standard-4") == MachineType(4, 16)
    assert machine_type("n2-highmem-8") == MachineType(8, 64)
    assert machine_type("ct9z-standard-4t") is None
