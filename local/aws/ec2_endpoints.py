"""EC2's VPC endpoints: ways to a service that do not leave the network."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.ec2_common import Entry, ec2_arn, finder, reader, retag, tagged
from local.aws.resource_type import Call, ResourceType, gone_is_fine
from local.provider.values import Values

_ENDPOINT_LISTS = {
    "subnetIds": ("SubnetIds", "AddSubnetIds", "RemoveSubnetIds"),
    "routeTableIds": ("RouteTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
    "securityGroupIds": ("SecurityGroupIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds"),
}


def _create_endpoint(call: Call) -> str:
    inputs = call.inputs
    request: dict[str, Any] = {"VpcId": inputs["vpcId"], "ServiceName": inputs["serviceName"]}
    request["VpcEndpointType"] = inputs.get("vpcEndpointType", "Gateway")
    for name, (member, _, _) in _ENDPOINT_LISTS.items():
        if inputs.get(name):
            request[member] = inputs[name]
    if inputs.get("policy"):
        request["PolicyDocument"] = inputs["policy"]
    if "privateDnsEnabled" in inputs:
        request["PrivateDnsEnabled"] = bool(inputs["privateDnsEnabled"])
    answer = call.cloud.call("ec2", "create_vpc_endpoint", **request, TagSpecifications=tagged(call, "vpc-endpoint"))
    return answer["VpcEndpoint"]["VpcEndpointId"]


def _settle_endpoint(call: Call, changed: frozenset[str]) -> None:
    request: dict[str, Any] = {}
    for name, (_, add, remove) in _ENDPOINT_LISTS.items():
        if name in changed:
            before, after = set(call.old_inputs.get(name) or []), set(call.inputs.get(name) or [])
            request |= {add: sorted(after - before)} if after - before else {}
            request |= {remove: sorted(before - after)} if before - after else {}
    if "policy" in changed:
        request |= {"PolicyDocument": call.inputs["policy"]} if call.inputs.get("policy") else {"ResetPolicy": True}
    if "privateDnsEnabled" in changed:
        request["PrivateDnsEnabled"] = bool(call.inputs.get("privateDnsEnabled", False))
    if request:
        call.cloud.call("ec2", "modify_vpc_endpoint", VpcEndpointId=call.id, **request)
    retag(call, changed)


def _read_endpoint(cloud: Cloud, endpoint: Entry) -> Values:
    id = endpoint["VpcEndpointId"]
    return {
        "arn": ec2_arn(cloud, "vpc-endpoint", id),
        "vpcId": endpoint["VpcId"],
        "serviceName": endpoint["ServiceName"],
        "serviceRegion": cloud.region,
        "vpcEndpointType": endpoint["VpcEndpointType"],
        "state": endpoint.get("State", "available"),
        "policy": endpoint.get("PolicyDocument") or "",
        "privateDnsEnabled": bool(endpoint.get("PrivateDnsEnabled", False)),
        "requesterManaged": False,
        "ownerId": endpoint.get("OwnerId") or ACCOUNT,
        "ipAddressType": endpoint.get("IpAddressType") or "ipv4",
        "routeTableIds": endpoint.get("RouteTableIds") or [],
        "subnetIds": endpoint.get("SubnetIds") or [],
        "securityGroupIds": [group["GroupId"] for group in endpoint.get("Groups") or []],
        "networkInterfaceIds": endpoint.get("NetworkInterfaceIds") or [],
        "cidrBlocks": [],
        "prefixListId": f"pl-{id[5:]}" if endpoint["VpcEndpointType"] == "Gateway" else "",
        "dnsEntries": [
            {"dnsName": entry.get("DnsName", ""), "hostedZoneId": entry.get("HostedZoneId", "")}
            for entry in endpoint.get("DnsEntries") or []
        ],
    }


def _delete_endpoint(cloud: Cloud, id: str, state: Values) -> None:
    """moto deletes no gateway endpoint that was given another route table later: the tables are taken off first."""
    answer = cloud.seek("ec2", "describe_vpc_endpoints", VpcEndpointIds=[id]) or {"VpcEndpoints": []}
    for endpoint in answer["VpcEndpoints"]:
        if endpoint.get("State") == "deleted":
            continue
        if tables := endpoint.get("RouteTableIds"):
            cloud.call("ec2", "modify_vpc_endpoint", VpcEndpointId=id, RemoveRouteTableIds=tables)
        gone_is_fine(lambda: cloud.call("ec2", "delete_vpc_endpoints", VpcEndpointIds=[id]))


TYPES = (
    ResourceType(
        token="aws:ec2/vpcEndpoint:VpcEndpoint",
        create=_create_endpoint,
        read=reader("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointIds", _read_endpoint),
        delete=_delete_endpoint,
        find=finder("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        settle=_settle_endpoint,
        replace_on=("vpcId", "serviceName", "vpcEndpointType"),
        defaults={"vpcEndpointType": "Gateway", "privateDnsEnabled": False},
    ),
)
"""VPC endpoints."""
