"""EC2's security groups and their rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.aws.cloud import ACCOUNT, Cloud, ServiceError, tag_map
from local.aws.ec2_common import Entry, deleter, ec2_arn, finder, reader, retag, tagged
from local.aws.resource_type import Call, ResourceType, gone_is_fine
from local.provider import ProviderError
from local.provider.values import Values

_DIRECTIONS = {"ingress": False, "egress": True}


def _create_group(call: Call) -> str:
    inputs = call.inputs
    request: dict[str, Any] = {
        "GroupName": inputs["name"],
        "Description": inputs.get("description", "Managed by Pulumi"),
    }
    if inputs.get("vpcId"):
        request["VpcId"] = inputs["vpcId"]
    id = call.cloud.call("ec2", "create_security_group", **request, TagSpecifications=tagged(call, "security-group"))[
        "GroupId"
    ]
    _replace_rules(call.cloud, id, {"egress": inputs.get("egress") or []}, frozenset({"egress"}))
    return id


def _permissions(rules: list[Values], group: str) -> list[Entry]:
    """Inline rules as EC2 takes them."""
    wanted: list[Entry] = []
    for rule in rules:
        protocol = str(rule.get("protocol", "-1"))
        entry: Entry = {"IpProtocol": protocol}
        if protocol != "-1":
            entry |= {"FromPort": int(rule["fromPort"]), "ToPort": int(rule["toPort"])}
        text = {"Description": rule["description"]} if rule.get("description") else {}
        groups = [*(rule.get("securityGroups") or []), *([group] if rule.get("self") else [])]
        entry["IpRanges"] = [{"CidrIp": cidr, **text} for cidr in rule.get("cidrBlocks") or []]
        entry["Ipv6Ranges"] = [{"CidrIpv6": cidr, **text} for cidr in rule.get("ipv6CidrBlocks") or []]
        entry["PrefixListIds"] = [{"PrefixListId": id, **text} for id in rule.get("prefixListIds") or []]
        entry["UserIdGroupPairs"] = [{"GroupId": id, **text} for id in groups]
        wanted.append({key: value for key, value in entry.items() if value != []})
    return wanted


def _group(cloud: Cloud, id: str) -> Entry | None:
    answer = cloud.seek("ec2", "describe_security_groups", GroupIds=[id])
    return answer["SecurityGroups"][0] if answer and answer["SecurityGroups"] else None


def _replace_rules(cloud: Cloud, id: str, inputs: Values, changed: frozenset[str]) -> None:
    """Make the group's inline rules exactly those of the inputs, in the directions that changed."""
    for direction in _DIRECTIONS:
        if direction not in changed:
            continue
        have = (_group(cloud, id) or {}).get("IpPermissions" + ("Egress" if direction == "egress" else "")) or []
        if have:
            cloud.call("ec2", f"revoke_security_group_{direction}", GroupId=id, IpPermissions=_bare(have))
        if wanted := _permissions(inputs.get(direction) or [], id):
            cloud.call("ec2", f"authorize_security_group_{direction}", GroupId=id, IpPermissions=wanted)


def _bare(permissions: list[Entry]) -> list[Entry]:
    return [{key: value for key, value in permission.items() if value not in ([], None)} for permission in permissions]


def _settle_group(call: Call, changed: frozenset[str]) -> None:
    _replace_rules(call.cloud, call.id, call.inputs, changed & call.inputs.keys() | (changed & call.old_inputs.keys()))
    retag(call, changed)


def _rules(permissions: list[Entry], group: str) -> list[Values]:
    rules: list[Values] = []
    for entry in permissions:
        pairs = [pair["GroupId"] for pair in entry.get("UserIdGroupPairs", []) if pair.get("GroupId")]
        ranges = [*entry.get("IpRanges", []), *entry.get("Ipv6Ranges", []), *entry.get("UserIdGroupPairs", [])]
        rules.append(
            {
                "protocol": entry["IpProtocol"],
                "fromPort": entry.get("FromPort", 0),
                "toPort": entry.get("ToPort", 0),
                "cidrBlocks": [one["CidrIp"] for one in entry.get("IpRanges", [])],
                "ipv6CidrBlocks": [one["CidrIpv6"] for one in entry.get("Ipv6Ranges", [])],
                "prefixListIds": [one["PrefixListId"] for one in entry.get("PrefixListIds", [])],
                "securityGroups": [id for id in pairs if id != group],
                "self": group in pairs,
                "description": next((one["Description"] for one in ranges if one.get("Description")), ""),
            }
        )
    return rules


def _read_group(cloud: Cloud, group: Entry) -> Values:
    id = group["GroupId"]
    return {
        "arn": ec2_arn(cloud, "security-group", id),
        "name": group["GroupName"],
        "description": group.get("Description", ""),
        "vpcId": group.get("VpcId", ""),
        "ownerId": group.get("OwnerId", ACCOUNT),
        "ingress": _rules(group.get("IpPermissions", []), id),
        "egress": _rules(group.get("IpPermissionsEgress", []), id),
    }


def _create_default(call: Call) -> str:
    """The default group exists with its VPC: it is taken over, and its rules become the declared ones."""
    filters = [
        {"Name": "group-name", "Values": ["default"]},
        {"Name": "vpc-id", "Values": [call.inputs.get("vpcId", "")]},
    ]
    groups = call.cloud.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
    if not groups:
        raise ProviderError(f"VPC {call.inputs.get('vpcId')} has no default security group in {call.cloud.region}")
    id = groups[0]["GroupId"]
    _replace_rules(call.cloud, id, call.inputs, frozenset(_DIRECTIONS))
    retag(replace(call, id=id), frozenset({"tags"}))
    return id


def _settle_default(call: Call, changed: frozenset[str]) -> None:
    _replace_rules(call.cloud, call.id, call.inputs, changed)
    retag(call, changed)


def _release_default(cloud: Cloud, id: str, state: Values) -> None:
    """The default group goes with its VPC; as with the official provider it is only let go of."""


# -- Rules as resources -----------------------------------------------------------------------------------------------

_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


def _permission(inputs: Values) -> Entry:
    entry: Entry = {"IpProtocol": str(inputs["ipProtocol"])}
    for name, member in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if inputs.get(name) is not None:
            entry[member] = int(inputs[name])
    text = {"Description": inputs["description"]} if inputs.get("description") else {}
    if inputs.get("cidrIpv4"):
        entry["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **text}]
    if inputs.get("cidrIpv6"):
        entry["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **text}]
    if inputs.get("prefixListId"):
        entry["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **text}]
    if inputs.get("referencedSecurityGroupId"):
        entry["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"], **text}]
    return entry


def _rule_outputs(cloud: Cloud, rule: Entry) -> Values:
    return {
        "arn": ec2_arn(cloud, "security-group-rule", rule["SecurityGroupRuleId"]),
        "securityGroupRuleId": rule["SecurityGroupRuleId"],
        "securityGroupId": rule["GroupId"],
        "ipProtocol": rule["IpProtocol"],
        "description": rule.get("Description") or "",
        "cidrIpv4": rule.get("CidrIpv4") or "",
        "cidrIpv6": rule.get("CidrIpv6") or "",
        "prefixListId": rule.get("PrefixListId") or "",
        "referencedSecurityGroupId": (rule.get("ReferencedGroupInfo") or {}).get("GroupId", ""),
        "tags": tag_map(rule.get("Tags")),
        **{
            name: rule[key]
            for name, key in (("fromPort", "FromPort"), ("toPort", "ToPort"))
            if rule.get(key) is not None
        },
    }


def _rules_of(cloud: Cloud, group: str, egress: bool) -> list[Entry]:
    by_group = [{"Name": "group-id", "Values": [group]}]
    answer = cloud.seek("ec2", "describe_security_group_rules", Filters=by_group) or {"SecurityGroupRules": []}
    return [rule for rule in answer["SecurityGroupRules"] if bool(rule.get("IsEgress")) == egress]


def _rule_type(direction: str) -> ResourceType:
    egress = _DIRECTIONS[direction]

    def same(rule: Entry, inputs: Values) -> bool:
        wanted = {"CidrIpv4": "cidrIpv4", "CidrIpv6": "cidrIpv6", "PrefixListId": "prefixListId"}
        source = all((rule.get(key) or None) == (inputs.get(name) or None) for key, name in wanted.items())
        group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId") or None
        ports = inputs["ipProtocol"] == "-1" or (
            str(rule.get("FromPort")) == str(inputs.get("fromPort"))
            and str(rule.get("ToPort")) == str(inputs.get("toPort"))
        )
        same_group = group == (inputs.get("referencedSecurityGroupId") or None)
        return source and same_group and ports and str(rule["IpProtocol"]) == str(inputs["ipProtocol"])

    def create(call: Call) -> str:
        group = call.inputs["securityGroupId"]
        try:
            answer = call.cloud.call(
                "ec2", f"authorize_security_group_{direction}", GroupId=group,
                IpPermissions=[_permission(call.inputs)], TagSpecifications=tagged(call, "security-group-rule"),
            )  # fmt: skip
        except ServiceError as error:
            if "Duplicate" not in error.code:
                raise
            answer = {}
        if answer.get("SecurityGroupRules"):
            return answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        found = [rule for rule in _rules_of(call.cloud, group, egress) if same(rule, call.inputs)]
        if not found:
            raise ProviderError(f"the {direction} rule of {group} was accepted and is not there")
        return found[0]["SecurityGroupRuleId"]

    def read(cloud: Cloud, id: str, state: Values) -> Values | None:
        for rule in _rules_of(cloud, state.get("securityGroupId", ""), egress):
            if rule["SecurityGroupRuleId"] == id:
                return _rule_outputs(cloud, rule)
        return None

    def find(call: Call) -> list[str]:
        rules = _rules_of(call.cloud, call.inputs["securityGroupId"], egress)
        return [rule["SecurityGroupRuleId"] for rule in rules if same(rule, call.inputs)]

    def delete(cloud: Cloud, id: str, state: Values) -> None:
        group = state["securityGroupId"]
        gone_is_fine(
            lambda: cloud.call("ec2", f"revoke_security_group_{direction}", GroupId=group, SecurityGroupRuleIds=[id])
        )

    return ResourceType(
        token=f"aws:vpc/securityGroup{direction.title()}Rule:SecurityGroup{direction.title()}Rule",
        create=create,
        read=read,
        delete=delete,
        find=find,
        settle=retag,
        replace_on=("securityGroupId", "ipProtocol", "fromPort", "toPort", "description", *_SOURCES),
    )


TYPES = (
    ResourceType(
        token="aws:ec2/securityGroup:SecurityGroup",
        create=_create_group,
        read=reader("describe_security_groups", "SecurityGroups", "GroupIds", _read_group),
        delete=deleter("delete_security_group", "GroupId"),
        find=finder("describe_security_groups", "SecurityGroups", "GroupId"),
        settle=_settle_group,
        settled_on_create=frozenset({"ingress"}),
        replace_on=("name", "namePrefix", "description", "vpcId"),
        defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
        autoname=("name", 255),
    ),
    ResourceType(
        token="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        create=_create_default,
        read=reader("describe_security_groups", "SecurityGroups", "GroupIds", _read_group),
        delete=_release_default,
        settle=_settle_default,
        replace_on=("vpcId",),
    ),
    _rule_type("ingress"),
    _rule_type("egress"),
)
"""Security groups and rules."""
