"""A node's labels follow its group: those that the group drops go, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.node_objects import label_patch
from local.node_spec import NodeSpec

BEFORE = NodeSpec("a-0", "a", "m7i.large", "eu-west-1a", 2, 8192, labels={"pool": "cpu", "old": "yes"})
AFTER = replace(BEFORE, labels={"pool": "gpu"})


def patched(node: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(node["metadata"])
    for key, values in patch.items():
        merged = {**metadata.get(key, {}), **values}
        metadata[key] = {name: value for name, value in merged.items() if value is not None}
    return {**node, "metadata": metadata}


def test_a_label_that_the_group_drops_is_taken_off() -> None:
    node = BEFORE.manifest()
    patch = label_patch(node, AFTER)
    assert patch["labels"] == {"pool": "gpu", "old": None}
    assert patched(node, patch)["metadata"]["labels"] == AFTER.all_labels()


def test_a_label_of_somebody_else_stays() -> None:
    node = BEFORE.manifest()
    node["metadata"]["labels"]["mine"] = "kept"
    assert "mine" not in label_patch(node, AFTER)["labels"]


def test_a_node_that_has_what_it_should_is_left_alone() -> None:
    node = BEFORE.manifest()
    assert label_patch(node, BEFORE) == {}
    again = patched(node, label_patch(node, AFTER))
    assert label_patch(again, AFTER, BEFORE) == {}


def test_a_kubelet_that_has_made_the_node_leaves_no_record_and_the_specification_before_says_what_goes() -> None:
    node = BEFORE.manifest()
    del node["metadata"]["annotations"]
    assert label_patch(node, AFTER, BEFORE)["labels"] == {"pool": "gpu", "old": None}


def test_a_drop_that_a_kill_kept_from_the_node_is_made_up_for() -> None:
    node = BEFORE.manifest()  # the new specification was written, and the node not changed
    assert label_patch(node, AFTER, AFTER)["labels"]["old"] is None


def test_a_label_that_was_the_groups_and_is_a_nodes_own_stays() -> None:
    own = replace(BEFORE, labels={"topology.kubernetes.io/zone": "eu-west-1a"})
    assert "labels" not in label_patch(own.manifest(), replace(own, labels={}))
