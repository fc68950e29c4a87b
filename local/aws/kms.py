"""KMS keys, their replicas in other regions, and aliases."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloud import Cloud, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider import ProviderError
from local.provider.values import Values

_DEFAULT_WINDOW_DAYS = 30


def _kms_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


_TAGS = Tagging("kms", "KeyId", tags="Tags", keys="TagKeys", shape=_kms_tags)


def _create_key(call: Call) -> str:
    inputs = call.inputs
    names = {
        "description": "Description", "keyUsage": "KeyUsage", "customerMasterKeySpec": "KeySpec",
        "multiRegion": "MultiRegion", "policy": "Policy",
    }  # fmt: skip
    request: dict[str, Any] = {member: inputs[name] for name, member in names.items() if inputs.get(name)}
    answer = call.cloud.call("kms", "create_key", **request, Tags=_kms_tags(call.all_tags))
    return answer["KeyMetadata"]["KeyId"]


def _settle_key(call: Call, changed: frozenset[str]) -> None:
    cloud, id, inputs = call.cloud, call.id, call.inputs
    if "description" in changed:
        cloud.call("kms", "update_key_description", KeyId=id, Description=inputs.get("description", ""))
    if "policy" in changed and inputs.get("policy"):
        cloud.call("kms", "put_key_policy", KeyId=id, PolicyName="default", Policy=inputs["policy"])
    if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
        if inputs.get("enableKeyRotation"):
            period = (
                {"RotationPeriodInDays": int(inputs["rotationPeriodInDays"])}
                if inputs.get("rotationPeriodInDays")
                else {}
            )
            cloud.call("kms", "enable_key_rotation", KeyId=id, **period)
        else:
            cloud.call("kms", "disable_key_rotation", KeyId=id)
    if changed & {"isEnabled", "enabled"}:  # a key's word for it, and a replica's
        enabled = inputs.get("isEnabled", inputs.get("enabled", True))
        cloud.call("kms", "enable_key" if enabled else "disable_key", KeyId=id)
    if "tags" in changed:
        _TAGS.settle(call, id, tag_map(cloud.call("kms", "list_resource_tags", KeyId=id)["Tags"]))


def _read_key(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("kms", "describe_key", KeyId=id)
    if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
        return None
    key = answer["KeyMetadata"]
    rotation = cloud.call("kms", "get_key_rotation_status", KeyId=id)
    policy = cloud.call("kms", "get_key_policy", KeyId=id, PolicyName="default")["Policy"]
    return {
        "arn": key["Arn"],
        "keyId": key["KeyId"],
        "description": key.get("Description", ""),
        "keyUsage": key.get("KeyUsage", "ENCRYPT_DECRYPT"),
        "customerMasterKeySpec": key.get("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        "multiRegion": bool(key.get("MultiRegion", False)),
        "isEnabled": key["Enabled"],
        "enableKeyRotation": rotation["KeyRotationEnabled"],
        "rotationPeriodInDays": int(rotation.get("RotationPeriodInDays") or 365),
        "policy": json.dumps(policy) if isinstance(policy, dict) else policy,
        "tags": tag_map(cloud.call("kms", "list_resource_tags", KeyId=id)["Tags"]),
    }


def _delete_key(cloud: Cloud, id: str, state: Values) -> None:
    """KMS keeps a key that is scheduled for deletion; it counts as gone, and as not adoptable."""
    days = int(state.get("deletionWindowInDays") or _DEFAULT_WINDOW_DAYS)

    def delete() -> None:
        answer = cloud.call("kms", "describe_key", KeyId=id)
        if answer["KeyMetadata"]["KeyState"] != "PendingDeletion":
            cloud.call("kms", "schedule_key_deletion", KeyId=id, PendingWindowInDays=days)

    gone_is_fine(delete)


def _find_key(call: Call) -> list[str]:
    """KMS cannot search by tag: every living key is asked."""
    found: list[str] = []
    for key in call.cloud.call("kms", "list_keys", Limit=1000)["Keys"]:
        tags = call.cloud.seek("kms", "list_resource_tags", KeyId=key["KeyId"])
        if tags and tag_map(tags["Tags"]).get(URN_TAG) == call.urn:
            found.append(key["KeyId"])
    return found


def _create_replica(call: Call) -> str:
    """As KMS has it: one of a multi-Region key, once in a region. moto copies any key, and none of what it is told."""
    cloud, arn = call.cloud, str(call.inputs["primaryKeyArn"])
    home = arn.split(":")[3]
    primary = cloud.account.at(home).call("kms", "describe_key", KeyId=arn)["KeyMetadata"]
    if not primary.get("MultiRegion") or home == cloud.region:
        what = "is in the same region" if home == cloud.region else "is no multi-Region key"
        raise ProviderError(f"KMS makes no replica of {arn} in {cloud.region}: it {what}")
    cloud.account.at(home).call("kms", "replicate_key", KeyId=primary["KeyId"], ReplicaRegion=cloud.region)
    id = primary["KeyId"]
    cloud.call("kms", "tag_resource", KeyId=id, Tags=_kms_tags(call.all_tags))
    return id


def _read_replica(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _read_key(cloud, id, state)
    if found is None:
        return None
    of = cloud.call("kms", "describe_key", KeyId=id)["KeyMetadata"]["MultiRegionConfiguration"]
    same = ("arn", "keyId", "description", "keyUsage", "policy", "rotationPeriodInDays", "tags")
    return {
        **{name: found[name] for name in same},
        "enabled": found["isEnabled"],
        "keyRotationEnabled": found["enableKeyRotation"],
        "keySpec": found["customerMasterKeySpec"],
        "primaryKeyArn": of["PrimaryKey"]["Arn"],
    }


def _create_alias(call: Call) -> str:
    name, key = call.inputs["name"], call.inputs["targetKeyId"]
    existing = _find_alias(call.cloud, name)
    call.cloud.call("kms", "update_alias" if existing else "create_alias", AliasName=name, TargetKeyId=key)
    return name


def _find_alias(cloud: Cloud, name: str) -> dict[str, Any] | None:
    return next(
        (one for one in cloud.call("kms", "list_aliases", Limit=100)["Aliases"] if one["AliasName"] == name), None
    )


def _settle_alias(call: Call, changed: frozenset[str]) -> None:
    call.cloud.call("kms", "update_alias", AliasName=call.id, TargetKeyId=call.inputs["targetKeyId"])


def _read_alias(cloud: Cloud, id: str, state: Values) -> Values | None:
    alias = _find_alias(cloud, id)
    if alias is None:
        return None
    key = cloud.call("kms", "describe_key", KeyId=alias["TargetKeyId"])["KeyMetadata"]
    given = state.get("targetKeyId")
    return {
        "arn": alias["AliasArn"],
        "name": id,
        "targetKeyId": given if given in (key["Arn"], key["KeyId"]) else key["KeyId"],
        "targetKeyArn": key["Arn"],
    }


def _delete_alias(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("kms", "delete_alias", AliasName=id))


TYPES = (
    ResourceType(
        token="aws:kms/key:Key",
        create=_create_key,
        read=_read_key,
        delete=_delete_key,
        find=_find_key,
        settle=_settle_key,
        settled_on_create=frozenset({"enableKeyRotation", "rotationPeriodInDays", "isEnabled"}),
        replace_on=("keyUsage", "customerMasterKeySpec", "multiRegion", "customKeyStoreId", "xksKeyId"),
        defaults={"isEnabled": True, "enableKeyRotation": False, "bypassPolicyLockoutSafetyCheck": False},
    ),
    ResourceType(
        token="aws:kms/replicaKey:ReplicaKey",
        create=_create_replica,
        read=_read_replica,
        delete=_delete_key,
        find=_find_key,
        settle=_settle_key,
        settled_on_create=frozenset({"description", "policy", "enabled"}),
        replace_on=("primaryKeyArn",),
        defaults={"enabled": True, "bypassPolicyLockoutSafetyCheck": False},
    ),
    ResourceType(
        token="aws:kms/alias:Alias",
        create=_create_alias,
        read=_read_alias,
        delete=_delete_alias,
        settle=_settle_alias,
        replace_on=("name", "namePrefix"),
        taggable=False,
    ),
)
"""KMS's types."""
