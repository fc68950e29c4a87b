"""What KMS refuses and moto would do: the local provider refuses it too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws.provider import AwsProvider, account_of
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


def test_an_alias_is_of_its_region_also_where_the_key_has_a_replica(root: DataRoot) -> None:
    here, there = at(root, "us-east-1"), at(root, "us-west-2")
    primary = here.create("aws:kms/key:Key", "twice", {"multiRegion": True})
    replica = there.create("aws:kms/replicaKey:ReplicaKey", "twin", {"primaryKeyArn": primary.outputs["arn"]})
    alias = {"name": "alias/twice", "targetKeyId": primary.outputs["keyId"]}
    named = here.create("aws:kms/alias:Alias", "alias", alias)
    names = account_of(root).at("us-west-2").call("kms", "list_aliases", KeyId=replica.outputs["keyId"])
    assert names["Aliases"] == []
    named_there = there.create("aws:kms/alias:Alias", "alias-there", alias)
    here.delete(named)
    assert there.read(named_there) is not None
