"""IAM's instance profiles: how an instance comes to its role."""

from __future__ import annotations

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("iam", "InstanceProfileName", "tag_instance_profile", "untag_instance_profile", "Tags", "TagKeys")


def _create(call: Call) -> str:
    name = call.inputs["name"]
    path = call.inputs.get("path") or "/"
    call.cloud.call("iam", "create_instance_profile", InstanceProfileName=name, Path=path, Tags=tag_list(call.all_tags))
    return name


def _settle(call: Call, changed: frozenset[str]) -> None:
    """Its one role and its tags."""
    cloud, name, wanted = call.cloud, call.id, call.inputs.get("role")
    profile = cloud.call("iam", "get_instance_profile", InstanceProfileName=name)["InstanceProfile"]
    have = [role["RoleName"] for role in profile["Roles"]]
    for role in have:
        if role != wanted:
            cloud.call("iam", "remove_role_from_instance_profile", InstanceProfileName=name, RoleName=role)
    if wanted and wanted not in have:
        cloud.call("iam", "add_role_to_instance_profile", InstanceProfileName=name, RoleName=wanted)
    if "tags" in changed:
        _TAGS.settle(call, name, tag_map(profile.get("Tags")))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("iam", "get_instance_profile", InstanceProfileName=id)
    if answer is None:
        return None
    profile = answer["InstanceProfile"]
    return {
        "arn": profile["Arn"],
        "name": profile["InstanceProfileName"],
        "path": profile["Path"],
        "uniqueId": profile["InstanceProfileId"],
        "createDate": profile["CreateDate"].isoformat(),
        "role": profile["Roles"][0]["RoleName"] if profile["Roles"] else "",
        "tags": tag_map(profile.get("Tags")),
    }


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    def delete() -> None:
        profile = cloud.call("iam", "get_instance_profile", InstanceProfileName=id)["InstanceProfile"]
        for role in profile["Roles"]:
            name = role["RoleName"]
            cloud.call("iam", "remove_role_from_instance_profile", InstanceProfileName=id, RoleName=name)
        cloud.call("iam", "delete_instance_profile", InstanceProfileName=id)

    gone_is_fine(delete)


def _find(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        answer = call.cloud.call("iam", "list_instance_profiles", MaxItems=1000)
        return [profile["InstanceProfileName"] for profile in answer["InstanceProfiles"]]

    found = ((one, _read(call.cloud, one, {})) for one in call.possible_names(listed))
    return [one for one, profile in found if profile and profile["tags"].get(URN_TAG) == call.urn]


TYPES = (
    ResourceType(
        token="aws:iam/instanceProfile:InstanceProfile",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        settled_on_create=frozenset({"role"}),
        replace_on=("name", "namePrefix", "path"),
        defaults={"path": "/"},
        autoname=("name", 128),
    ),
)
"""Instance profiles."""
