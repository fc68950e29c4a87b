"""What EC2's types share: tags in the create request, ids in filters, one way to read, tag, find and delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.aws.cloud import ACCOUNT, Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, gone_is_fine
from local.aws.tagging import tag_changes
from local.provider.values import Values

Entry = dict[str, Any]


def tagged(call: Call, kind: str) -> list[Entry]:
    """The ``TagSpecifications`` of a create request for a resource of EC2's type ``kind``."""
    return [{"ResourceType": kind, "Tags": tag_list(call.all_tags)}]


def finder(describe: str, entries: str, id_key: str) -> Callable[[Call], list[str]]:
    """A ``find`` by the URN tag."""

    def find(call: Call) -> list[str]:
        answer = call.cloud.call("ec2", describe, Filters=[{"Name": f"tag:{URN_TAG}", "Values": [call.urn]}])
        return [entry[id_key] for entry in answer[entries] if entry.get("State") not in ("deleted", "deleting")]

    return find


def lister(describe: str, entries: str, id_key: str) -> Callable[[Call], list[str]]:
    """A ``find`` by the URN tag for what moto cannot filter: all are listed."""

    def find(call: Call) -> list[str]:
        found = call.cloud.call("ec2", describe)[entries]
        return [one[id_key] for one in found if tag_map(one.get("Tags")).get(URN_TAG) == call.urn and not _gone(one)]

    return find


def _gone(entry: Entry) -> bool:
    """Whether it is only listed for a while yet; a peering connection says so in another place than all else."""
    return "deleted" in (entry.get("State"), (entry.get("Status") or {}).get("Code"))


def reader(
    describe: str, entries: str, ids: str, outputs: Callable[[Cloud, Entry], Values]
) -> Callable[[Cloud, str, Values], Values | None]:
    """A ``read`` by id; tags are added."""

    def read(cloud: Cloud, id: str, state: Values) -> Values | None:
        answer = cloud.seek("ec2", describe, **{ids: [id]})
        found = [entry for entry in (answer or {}).get(entries, []) if not _gone(entry)]
        if not found:
            return None
        return {**outputs(cloud, found[0]), "tags": tag_map(found[0].get("Tags"))}

    return read


def deleter(operation: str, id_key: str, many: bool = False) -> Callable[[Cloud, str, Values], None]:
    """A ``delete`` by id."""

    def delete(cloud: Cloud, id: str, state: Values) -> None:
        gone_is_fine(lambda: cloud.call("ec2", operation, **{id_key: [id] if many else id}))

    return delete


def retag(call: Call, changed: frozenset[str]) -> None:
    """A ``settle`` for tags alone: exactly those that differ are written."""
    if "tags" not in changed:
        return
    answer = call.cloud.call("ec2", "describe_tags", Filters=[{"Name": "resource-id", "Values": [call.id]}])
    have = {tag["Key"]: tag["Value"] for tag in answer["Tags"]}
    added, removed = tag_changes(have, call.all_tags)
    if added:
        call.cloud.call("ec2", "create_tags", Resources=[call.id], Tags=tag_list(added))
    if removed:
        call.cloud.call("ec2", "delete_tags", Resources=[call.id], Tags=[{"Key": key} for key in removed])


def ec2_arn(cloud: Cloud, kind: str, id: str) -> str:
    """The ARN of an EC2 resource."""
    return cloud.arn("ec2", f"{kind}/{id}", account=ACCOUNT)
