"""What GKE gives a node at its registration, and what a later run puts back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.gcp.gke import specs
from local.gcp.resource_type import Place
from local.node_spec import Taint
from local.paths import DataRoot

UNVERIFIED = "ai-datacenter/unverified"
POOL: dict[str, Any] = {
    "name": "v6e-0", "cluster": "tpus", "location": "us-east5", "nodeLocations": ["us-east5-b"], "nodeCount": 1,
    "nodeConfig": {
        "machineType": "ct6e-standard-8t",
        "labels": {"ai-datacenter/pool": "v6e", UNVERIFIED: "true"},
        "taints": [
            {"key": "google.com/tpu", "value": "present", "effect": "NO_SCHEDULE"},
            {"key": UNVERIFIED, "value": "present", "effect": "NO_SCHEDULE"},
        ],
    },
}  # fmt: skip


def test_what_a_check_takes_off_a_node_is_of_its_registration_and_not_put_back(tmp_path: Path) -> None:
    (node,) = specs(Place(DataRoot(tmp_path), "my-project", "us-east5"), POOL)
    assert (node.first_labels, node.first_taints) == ({UNVERIFIED: "true"}, (Taint(UNVERIFIED, "present"),))
    assert UNVERIFIED not in node.all_labels()
    assert node.taints == (Taint("google.com/tpu", "present"),)
