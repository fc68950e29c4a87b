"""EC2's launch templates and placement groups."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud
from local.aws.ec2_common import Entry, deleter, ec2_arn, finder, reader, retag, tagged
from local.aws.recorded import recorded_type
from local.aws.resource_type import AUTONAMED, Call, ResourceType
from local.aws.shapes import input_of, members_of, to_members
from local.provider.values import Values

_OUTSIDE_DATA = (
    "name", "namePrefix", "description", "tags", "tagsAll", "region", "defaultVersion", "updateDefaultVersion",
    AUTONAMED,
)  # fmt: skip
_RENAMES = {
    "vpcSecurityGroupIds": "SecurityGroupIds",
    "securityGroupNames": "SecurityGroups",
    "securityGroups": "Groups",
    "ipv4Addresses": "PrivateIpAddresses",
    "ipv6Addresses": "Ipv6Addresses",
}


def _data(call: Call) -> Values:
    """The template's data, spelt as EC2's model spells it: a property that EC2 does not know is refused."""
    shape = members_of(input_of(call.cloud.account.model("ec2"), "CreateLaunchTemplate"))["LaunchTemplateData"]
    values = {key: value for key, value in call.inputs.items() if key not in _OUTSIDE_DATA}
    return to_members(values, shape, _RENAMES, "launchTemplate.")


def _create(call: Call) -> str:
    request: dict[str, Any] = {"LaunchTemplateName": call.inputs["name"], "LaunchTemplateData": _data(call)}
    if call.inputs.get("description"):
        request["VersionDescription"] = call.inputs["description"]
    answer = call.cloud.call(
        "ec2", "create_launch_template", **request, TagSpecifications=tagged(call, "launch-template")
    )
    return answer["LaunchTemplate"]["LaunchTemplateId"]


def _settle(call: Call, changed: frozenset[str]) -> None:
    """A new version where the data changed; an adopted template gets one only if its data differ."""
    if (changed - set(_OUTSIDE_DATA)) or "description" in changed:
        data = _data(call)
        latest = call.cloud.call(
            "ec2", "describe_launch_template_versions", LaunchTemplateId=call.id, Versions=["$Latest"]
        )["LaunchTemplateVersions"][0]
        if latest["LaunchTemplateData"] != data or latest.get("VersionDescription", "") != call.inputs.get(
            "description", ""
        ):
            call.cloud.call(
                "ec2", "create_launch_template_version", LaunchTemplateId=call.id, LaunchTemplateData=data,
                VersionDescription=call.inputs.get("description", ""),
            )  # fmt: skip
    if call.inputs.get("updateDefaultVersion") or "defaultVersion" in changed:
        template = call.cloud.call("ec2", "describe_launch_templates", LaunchTemplateIds=[call.id])["LaunchTemplates"][
            0
        ]
        version = call.inputs.get("defaultVersion") or template["LatestVersionNumber"]
        call.cloud.call("ec2", "modify_launch_template", LaunchTemplateId=call.id, DefaultVersion=str(int(version)))
    retag(call, changed)


def _read(cloud: Cloud, template: Entry) -> Values:
    id = template["LaunchTemplateId"]
    return {
        "arn": ec2_arn(cloud, "launch-template", id),
        "name": template["LaunchTemplateName"],
        "latestVersion": template["LatestVersionNumber"],
        "defaultVersion": template["DefaultVersionNumber"],
    }


def _placement_outputs(call: Call) -> Values:
    name = call.inputs["name"]
    return {
        "id": name,
        "arn": ec2_arn(call.cloud, "placement-group", name),
        "placementGroupId": f"pg-{abs(hash_of(call.urn)):017x}"[:20],
    }


def hash_of(text: str) -> int:
    """A number that is the same for the same text in every process."""
    import hashlib

    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


TYPES = (
    ResourceType(
        token="aws:ec2/launchTemplate:LaunchTemplate",
        create=_create,
        read=reader("describe_launch_templates", "LaunchTemplates", "LaunchTemplateIds", _read),
        delete=deleter("delete_launch_template", "LaunchTemplateId"),
        find=finder("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
        settle=_settle,
        replace_on=("name", "namePrefix"),
        autoname=("name", 128),
        volatile=("latestVersion",),
    ),
    recorded_type(
        token="aws:ec2/placementGroup:PlacementGroup",
        service="ec2",
        operation="CreatePlacementGroup",
        renames={"name": "GroupName"},
        outputs=_placement_outputs,
        replace_on=("name", "strategy", "partitionCount", "spreadLevel"),
        defaults={"partitionCount": 0},
        autoname=("name", 255),
        tag_specifications="placement-group",
    ),
)
"""Launch templates and placement groups. moto 5.2.5 has no placement groups."""
