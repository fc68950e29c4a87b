"""EC2's VPCs and subnets."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.ec2_common import Entry, deleter, ec2_arn, finder, reader, retag, tagged
from local.aws.resource_type import Call, ResourceType
from local.provider.values import Values

# -- VPC --------------------------------------------------------------------------------------------------------------


def _create_vpc(call: Call) -> str:
    answer = call.cloud.call(
        "ec2",
        "create_vpc",
        CidrBlock=call.inputs.get("cidrBlock", ""),
        InstanceTenancy=call.inputs.get("instanceTenancy", "default"),
        AmazonProvidedIpv6CidrBlock=bool(call.inputs.get("assignGeneratedIpv6CidrBlock", False)),
        TagSpecifications=tagged(call, "vpc"),
    )
    return answer["Vpc"]["VpcId"]


def _settle_vpc_ipv6(call: Call) -> None:
    """Give the VPC a range of AWS's, or take it away."""
    (vpc,) = call.cloud.call("ec2", "describe_vpcs", VpcIds=[call.id])["Vpcs"]
    have, wanted = _ipv6_of(vpc), bool(call.inputs.get("assignGeneratedIpv6CidrBlock", False))
    if wanted and not have:
        call.cloud.call("ec2", "associate_vpc_cidr_block", VpcId=call.id, AmazonProvidedIpv6CidrBlock=True)
    elif have and not wanted:
        call.cloud.call("ec2", "disassociate_vpc_cidr_block", AssociationId=have["AssociationId"])


def _ipv6_of(entry: Entry) -> Entry:
    """The IPv6 range that a VPC or subnet uses; empty where there is none. moto says no state of a subnet's."""
    over = ("disassociated", "disassociating")
    known = entry.get("Ipv6CidrBlockAssociationSet") or []
    return next((one for one in known if one.get("Ipv6CidrBlockState", {}).get("State") not in over), {})


def _settle_vpc(call: Call, changed: frozenset[str]) -> None:
    if "assignGeneratedIpv6CidrBlock" in changed:
        _settle_vpc_ipv6(call)
    for name, member in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
        if name in changed:
            default = name == "enableDnsSupport"
            value = bool(call.inputs.get(name, default))
            call.cloud.call("ec2", "modify_vpc_attribute", VpcId=call.id, **{member: {"Value": value}})
    retag(call, changed)


def _read_vpc(cloud: Cloud, vpc: Entry) -> Values:
    id = vpc["VpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [id]}]

    def attribute(name: str) -> bool:
        key = name[:1].upper() + name[1:]
        return cloud.call("ec2", "describe_vpc_attribute", VpcId=id, Attribute=name)[key]["Value"]

    groups = cloud.call(
        "ec2", "describe_security_groups", Filters=[*of_vpc, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    tables = cloud.call(
        "ec2", "describe_route_tables", Filters=[*of_vpc, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"]
    acls = cloud.call("ec2", "describe_network_acls", Filters=[*of_vpc, {"Name": "default", "Values": ["true"]}])
    ipv6 = _ipv6_of(vpc)
    table = tables[0]["RouteTableId"] if tables else ""
    return {
        "arn": ec2_arn(cloud, "vpc", id),
        "cidrBlock": vpc["CidrBlock"],
        "instanceTenancy": vpc.get("InstanceTenancy", "default"),
        "dhcpOptionsId": vpc.get("DhcpOptionsId", "default"),
        "ownerId": vpc.get("OwnerId", ACCOUNT),
        "enableDnsSupport": attribute("enableDnsSupport"),
        "enableDnsHostnames": attribute("enableDnsHostnames"),
        "assignGeneratedIpv6CidrBlock": bool(ipv6),
        "ipv6AssociationId": ipv6.get("AssociationId", ""),
        "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock", ""),
        "ipv6CidrBlockNetworkBorderGroup": ipv6.get("NetworkBorderGroup", ""),
        "defaultSecurityGroupId": groups[0]["GroupId"] if groups else "",
        "defaultRouteTableId": table,
        "mainRouteTableId": table,
        "defaultNetworkAclId": (acls["NetworkAcls"] or [{"NetworkAclId": ""}])[0]["NetworkAclId"],
    }


# -- Subnet -----------------------------------------------------------------------------------------------------------

_SUBNET_ATTRIBUTES = {
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
    "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
}


def _create_subnet(call: Call) -> str:
    request: dict[str, Any] = {"VpcId": call.inputs["vpcId"], "TagSpecifications": tagged(call, "subnet")}
    for name, member in (
        ("cidrBlock", "CidrBlock"),
        ("availabilityZone", "AvailabilityZone"),
        ("availabilityZoneId", "AvailabilityZoneId"),
        ("ipv6CidrBlock", "Ipv6CidrBlock"),
    ):
        if call.inputs.get(name):
            request[member] = call.inputs[name]
    return call.cloud.call("ec2", "create_subnet", **request)["Subnet"]["SubnetId"]


def _settle_subnet_ipv6(call: Call) -> None:
    (subnet,) = call.cloud.call("ec2", "describe_subnets", SubnetIds=[call.id])["Subnets"]
    have, wanted = _ipv6_of(subnet), call.inputs.get("ipv6CidrBlock")
    if have and have["Ipv6CidrBlock"] != wanted:
        call.cloud.call("ec2", "disassociate_subnet_cidr_block", AssociationId=have["AssociationId"])
    if wanted and have.get("Ipv6CidrBlock") != wanted:
        call.cloud.call("ec2", "associate_subnet_cidr_block", SubnetId=call.id, Ipv6CidrBlock=wanted)


def _settle_subnet(call: Call, changed: frozenset[str]) -> None:
    if "ipv6CidrBlock" in changed:
        _settle_subnet_ipv6(call)
    for name, member in _SUBNET_ATTRIBUTES.items():
        if name in changed:
            value = bool(call.inputs.get(name, False))
            call.cloud.call("ec2", "modify_subnet_attribute", SubnetId=call.id, **{member: {"Value": value}})
    retag(call, changed)


def _read_subnet(cloud: Cloud, subnet: Entry) -> Values:
    ipv6 = _ipv6_of(subnet)
    return {
        "arn": subnet.get("SubnetArn") or ec2_arn(cloud, "subnet", subnet["SubnetId"]),
        "vpcId": subnet["VpcId"],
        "cidrBlock": subnet["CidrBlock"],
        "availabilityZone": subnet["AvailabilityZone"],
        "availabilityZoneId": subnet["AvailabilityZoneId"],
        "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
        "assignIpv6AddressOnCreation": subnet["AssignIpv6AddressOnCreation"],
        "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock", ""),
        "ipv6CidrBlockAssociationId": ipv6.get("AssociationId", ""),
        "ownerId": subnet.get("OwnerId", ACCOUNT),
    }


TYPES = (
    ResourceType(
        token="aws:ec2/vpc:Vpc",
        create=_create_vpc,
        read=reader("describe_vpcs", "Vpcs", "VpcIds", _read_vpc),
        delete=deleter("delete_vpc", "VpcId"),
        find=finder("describe_vpcs", "Vpcs", "VpcId"),
        settle=_settle_vpc,
        settled_on_create=frozenset({"enableDnsSupport", "enableDnsHostnames"}),
        replace_on=("cidrBlock", "ipv4IpamPoolId"),
        computed_from={"assignGeneratedIpv6CidrBlock": ("ipv6CidrBlock", "ipv6AssociationId")},
        defaults={"enableDnsSupport": True, "instanceTenancy": "default", "enableNetworkAddressUsageMetrics": False},
    ),
    ResourceType(
        token="aws:ec2/subnet:Subnet",
        create=_create_subnet,
        read=reader("describe_subnets", "Subnets", "SubnetIds", _read_subnet),
        delete=deleter("delete_subnet", "SubnetId"),
        find=finder("describe_subnets", "Subnets", "SubnetId"),
        settle=_settle_subnet,
        settled_on_create=frozenset(_SUBNET_ATTRIBUTES),
        replace_on=("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"),
        defaults={
            "assignIpv6AddressOnCreation": False,
            "enableDns64": False,
            "enableResourceNameDnsARecordOnLaunch": False,
            "enableResourceNameDnsAaaaRecordOnLaunch": False,
            "ipv6Native": False,
            "mapPublicIpOnLaunch": False,
            "privateDnsHostnameTypeOnLaunch": "ip-name",
        },
    ),
)
"""VPCs and subnets."""
