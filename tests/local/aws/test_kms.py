"""What KMS refuses and moto would do: the local provider refuses it too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws.provider import AwsProvider
from local.paths import DataRoot
from tests.local.aws.driver import Driver, Refused

pytestmark = pytest.mark.real


def at(root: DataRoot, region: str) -> Driver:
    return Driver(AwsProvider(root)).configure(region=region)


@pytest.mark.parametrize(
    ("key", "region", "reason"),
    [({}, "us-west-2", "is no multi-Region key"), ({"multiRegion": True}, "us-east-1", "is in the same region")],
)
def test_only_a_multi_region_key_has_a_replica_and_only_elsewhere(
    root: DataRoot, key: dict[str, Any], region: str, reason: str
) -> None:
    primary = at(root, "us-east-1").create("aws:kms/key:Key", f"primary-of-{region}", key)
    with pytest.raises(Refused, match=reason):
        at(root, region).create("aws:kms/replicaKey:ReplicaKey", "there", {"primaryKeyArn": primary.outputs["arn"]})


def test_a_replica_has_a_policy_and_an_end_of_its_own(root: DataRoot) -> None:
    here, there = at(root, "us-east-1"), at(root, "us-west-2")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    primary = here.create("aws:kms/key:Key", "primary", {"multiRegion": True, "deletionWindowInDays": 7})
    inputs = {"primaryKeyArn": primary.outputs["arn"], "policy": policy, "deletionWindowInDays": 7}
    replica = there.create("aws:kms/replicaKey:ReplicaKey", "replica", inputs)
    assert replica.outputs["keyId"] == primary.outputs["keyId"]
    assert json.loads(replica.outputs["policy"]) == json.loads(policy)
    there.delete(replica)
    assert there.read(replica) is None
    kept = here.read(primary)
    assert kept is not None
    assert json.loads(kept.outputs["policy"]) != json.loads(policy)
