"""AWS Backup: vaults and their locks; moto 5.2.5 has no selections, restore tests and notifications.

It has plans, and neither changes them nor lets a name be used again: they are recorded as well.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from local.aws.cloud import Cloud
from local.aws.recorded import recorded_type, records_of
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider import ProviderError
from local.provider.values import Values

_TAGS = Tagging("backup", "ResourceArn", tags="Tags", keys="TagKeyList", shape=dict)
_LIMITS = {
    "minRetentionDays": "MinRetentionDays",
    "maxRetentionDays": "MaxRetentionDays",
    "changeableForDays": "ChangeableForDays",
}


def _entry(cloud: Cloud, name: str) -> dict[str, Any] | None:
    """The vault as a listing has it: moto describes neither its key nor its lock."""
    vaults = cloud.call("backup", "list_backup_vaults")["BackupVaultList"]
    return next((one for one in vaults if one["BackupVaultName"] == name), None)


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    return cloud.call("backup", "list_tags", ResourceArn=arn)["Tags"]


def _create_vault(call: Call) -> str:
    name, key = call.inputs["name"], call.of("kmsKeyArn")
    request = {"EncryptionKeyArn": key["kmsKeyArn"]} if key else {}
    call.cloud.call("backup", "create_backup_vault", BackupVaultName=name, BackupVaultTags=call.all_tags, **request)
    return name


def _read_vault(cloud: Cloud, id: str, state: Values) -> Values | None:
    entry = _entry(cloud, id)
    if entry is None:
        return None
    return {
        "arn": entry["BackupVaultArn"],
        "name": id,
        "kmsKeyArn": entry.get("EncryptionKeyArn") or "",
        "recoveryPoints": entry.get("NumberOfRecoveryPoints", 0),
        "tags": _tags(cloud, entry["BackupVaultArn"]),
    }


def _settle_vault(call: Call, changed: frozenset[str]) -> None:
    arn = call.cloud.arn("backup", f"backup-vault:{call.id}")
    if "tags" in changed:
        _TAGS.settle(call, arn, _tags(call.cloud, arn))


def _delete_vault(cloud: Cloud, id: str, state: Values) -> None:
    """moto keeps the tags of what is gone, and the next vault of the name would have them."""
    entry = _entry(cloud, id)
    if entry is None:
        return
    arn = entry["BackupVaultArn"]
    cloud.call("backup", "untag_resource", ResourceArn=arn, TagKeyList=list(_tags(cloud, arn)))
    gone_is_fine(lambda: cloud.call("backup", "delete_backup_vault", BackupVaultName=id))


def _find_vault(call: Call) -> list[str]:
    vaults = call.cloud.call("backup", "list_backup_vaults")["BackupVaultList"]
    mine = (one for one in vaults if _tags(call.cloud, one["BackupVaultArn"]).get(URN_TAG) == call.urn)
    return [one["BackupVaultName"] for one in mine]


def _create_lock(call: Call) -> str:
    name = call.inputs["backupVaultName"]
    limits = {member: int(call.inputs[own]) for own, member in _LIMITS.items() if call.inputs.get(own) is not None}
    call.cloud.call("backup", "put_backup_vault_lock_configuration", BackupVaultName=name, **limits)
    return name


def _read_lock(cloud: Cloud, id: str, state: Values) -> Values | None:
    """Until when it can be changed is told as a date: the days are those that were asked for."""
    entry = _entry(cloud, id)
    if entry is None or not entry.get("Locked"):
        return None
    told = {own: entry[member] for own, member in _LIMITS.items() if entry.get(member) is not None}
    days = {"changeableForDays": state["changeableForDays"]} if entry.get("LockDate") else {}
    return {"backupVaultName": id, "backupVaultArn": entry["BackupVaultArn"], **told, **days}


def _delete_lock(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("backup", "delete_backup_vault_lock_configuration", BackupVaultName=id))


def _needs_vault(cloud: Cloud, name: str) -> None:
    if _entry(cloud, name) is None:
        raise ProviderError(f"there is no backup vault {name} in {cloud.region}")


def _needs_vaults(call: Call) -> None:
    """Those that a plan's rules name, here and where copies go."""
    for rule in call.inputs["rules"]:
        _needs_vault(call.cloud, rule["targetVaultName"])
        for copy in rule.get("copyActions") or ():
            _, _, _, region, _, _, name = copy["destinationVaultArn"].split(":")
            _needs_vault(call.cloud.account.at(region), name)


def _needs_record(kind: str, property: str, of: str) -> Callable[[Call], None]:
    """The check of what refers to something recorded in the same region."""

    def check(call: Call) -> None:
        known = [
            record["properties"][of]
            for region, record in records_of(call.cloud.account.root, kind)
            if region == call.cloud.region
        ]
        if call.inputs[property] not in known:
            raise ProviderError(f"AWS Backup has no {kind} {call.inputs[property]} in {call.cloud.region}")

    return check


def _made_up(*parts: str) -> str:
    """A UUID that is the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(parts)))


def _plan(call: Call) -> Values:
    id = _made_up(call.urn, call.inputs["name"])
    version = _made_up(json.dumps(call.inputs["rules"], sort_keys=True))
    return {"id": id, "arn": call.cloud.arn("backup", f"backup-plan:{id}"), "version": version}


def _restore_test(call: Call) -> Values:
    name = call.inputs["name"]
    return {"id": name, "arn": call.cloud.arn("backup", f"restore-testing-plan:{name}-{_made_up(call.urn, name)}")}


def _within(member: str, name: str, *beside: str) -> Callable[[Values], Values]:
    """A request that holds all properties but those ``beside`` in one member, where the name is called ``name``."""

    def values(given: Values) -> Values:
        inner = {(name if key == "name" else key): value for key, value in given.items() if key not in beside}
        return {member: inner, **{key: given[key] for key in beside}}

    return values


TYPES = (
    ResourceType(
        token="aws:backup/vault:Vault",
        create=_create_vault,
        read=_read_vault,
        delete=_delete_vault,
        find=_find_vault,
        settle=_settle_vault,
        replace_on=("name", "kmsKeyArn"),
        defaults={"forceDestroy": False},
        autoname=("name", 50),
    ),
    ResourceType(
        token="aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        create=_create_lock,
        read=_read_lock,
        delete=_delete_lock,
        replace_on=("backupVaultName", *_LIMITS),
        taggable=False,
    ),
    recorded_type(
        token="aws:backup/plan:Plan",
        service="backup",
        operation="CreateBackupPlan",
        outputs=_plan,
        values=_within("backupPlan", "backupPlanName"),
        renames={
            "schedule": "ScheduleExpression",
            "targetVaultName": "TargetBackupVaultName",
            "startWindow": "StartWindowMinutes",
            "completionWindow": "CompletionWindowMinutes",
            "coldStorageAfter": "MoveToColdStorageAfterDays",
            "deleteAfter": "DeleteAfterDays",
            "destinationVaultArn": "DestinationBackupVaultArn",
        },
        replace_on=("name",),
        tags_member="BackupPlanTags",
        check=_needs_vaults,
    ),
    recorded_type(
        token="aws:backup/selection:Selection",
        service="backup",
        operation="CreateBackupSelection",
        outputs=lambda call: {"id": _made_up(call.urn, json.dumps(call.inputs, sort_keys=True))},
        values=_within("backupSelection", "selectionName", "planId"),
        renames={"planId": "BackupPlanId"},
        replace_on=("name", "planId", "iamRoleArn", "resources", "notResources"),
        taggable=False,
        check=_needs_record("Plan", "planId", "id"),
    ),
    recorded_type(
        token="aws:backup/restoreTestingPlan:RestoreTestingPlan",
        service="backup",
        operation="CreateRestoreTestingPlan",
        outputs=_restore_test,
        values=_within("restoreTestingPlan", "restoreTestingPlanName"),
        replace_on=("name",),
        tags_member="Tags",
    ),
    recorded_type(
        token="aws:backup/restoreTestingSelection:RestoreTestingSelection",
        service="backup",
        operation="CreateRestoreTestingSelection",
        outputs=lambda call: {"id": f"{call.inputs['name']}:{call.inputs['restoreTestingPlanName']}"},
        values=_within("restoreTestingSelection", "restoreTestingSelectionName", "restoreTestingPlanName"),
        replace_on=("name", "restoreTestingPlanName", "protectedResourceType"),
        taggable=False,
        check=_needs_record("RestoreTestingPlan", "restoreTestingPlanName", "name"),
    ),
    recorded_type(
        token="aws:backup/vaultNotifications:VaultNotifications",
        service="backup",
        operation="PutBackupVaultNotifications",
        outputs=lambda call: {
            "id": call.inputs["backupVaultName"],
            "backupVaultArn": call.cloud.arn("backup", f"backup-vault:{call.inputs['backupVaultName']}"),
        },
        replace_on=("backupVaultName", "snsTopicArn", "backupVaultEvents"),
        taggable=False,
        check=lambda call: _needs_vault(call.cloud, call.inputs["backupVaultName"]),
    ),
)
"""AWS Backup's types."""
