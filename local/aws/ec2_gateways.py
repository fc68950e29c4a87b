"""EC2's ways out of a VPC: internet gateways (for IPv6 also one way), and NAT gateways with their addresses."""

from __future__ import annotations

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.ec2_common import Entry, deleter, ec2_arn, finder, lister, reader, retag, tagged
from local.aws.resource_type import Call, ResourceType, gone_is_fine
from local.provider.values import Values

# -- Internet gateway -------------------------------------------------------------------------------------------------


def _create_gateway(call: Call) -> str:
    answer = call.cloud.call("ec2", "create_internet_gateway", TagSpecifications=tagged(call, "internet-gateway"))
    return answer["InternetGateway"]["InternetGatewayId"]


def _gateway_vpc(cloud: Cloud, id: str) -> str:
    answer = cloud.call("ec2", "describe_internet_gateways", InternetGatewayIds=[id])
    attachments = answer["InternetGateways"][0].get("Attachments") or [{}]
    return attachments[0].get("VpcId", "")


def _settle_gateway(call: Call, changed: frozenset[str]) -> None:
    if "vpcId" in changed:
        have, want = _gateway_vpc(call.cloud, call.id), call.inputs.get("vpcId", "")
        if have and have != want:
            call.cloud.call("ec2", "detach_internet_gateway", InternetGatewayId=call.id, VpcId=have)
        if want and have != want:
            call.cloud.call("ec2", "attach_internet_gateway", InternetGatewayId=call.id, VpcId=want)
    retag(call, changed)


def _read_gateway(cloud: Cloud, gateway: Entry) -> Values:
    return {
        "arn": ec2_arn(cloud, "internet-gateway", gateway["InternetGatewayId"]),
        "vpcId": (gateway.get("Attachments") or [{}])[0].get("VpcId", ""),
        "ownerId": gateway.get("OwnerId", ACCOUNT),
    }


def _delete_gateway(cloud: Cloud, id: str, state: Values) -> None:
    def delete() -> None:
        if vpc := _gateway_vpc(cloud, id):
            cloud.call("ec2", "detach_internet_gateway", InternetGatewayId=id, VpcId=vpc)
        cloud.call("ec2", "delete_internet_gateway", InternetGatewayId=id)

    gone_is_fine(delete)


# -- Egress-only internet gateway -------------------------------------------------------------------------------------


def _create_egress_only(call: Call) -> str:
    answer = call.cloud.call(
        "ec2", "create_egress_only_internet_gateway", VpcId=call.inputs["vpcId"],
        TagSpecifications=tagged(call, "egress-only-internet-gateway"),
    )  # fmt: skip
    return answer["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]


def _read_egress_only(cloud: Cloud, gateway: Entry) -> Values:
    return {"vpcId": gateway["Attachments"][0]["VpcId"]}


# -- Address, NAT gateway ---------------------------------------------------------------------------------------------


def _create_address(call: Call) -> str:
    answer = call.cloud.call(
        "ec2", "allocate_address", Domain=call.inputs.get("domain", "vpc"), TagSpecifications=tagged(call, "elastic-ip")
    )
    return answer["AllocationId"]


def _read_address(cloud: Cloud, address: Entry) -> Values:
    public = address["PublicIp"]
    dashed = public.replace(".", "-")
    zone = "compute-1" if cloud.region == "us-east-1" else f"{cloud.region}.compute"
    return {
        "arn": ec2_arn(cloud, "elastic-ip", address["AllocationId"]),
        "allocationId": address["AllocationId"],
        "associationId": address.get("AssociationId") or "",
        "domain": address.get("Domain", "vpc"),
        "publicIp": public,
        "publicDns": f"ec2-{dashed}.{zone}.amazonaws.com",
        "privateIp": address.get("PrivateIpAddress") or "",
        "networkInterface": address.get("NetworkInterfaceId") or "",
        "instance": address.get("InstanceId") or "",
        "publicIpv4Pool": address.get("PublicIpv4Pool") or "amazon",
        "networkBorderGroup": cloud.region,
    }


def _create_nat(call: Call) -> str:
    names = {"subnetId": "SubnetId", "allocationId": "AllocationId", "connectivityType": "ConnectivityType"}
    request = {member: call.inputs[name] for name, member in names.items() if call.inputs.get(name)}
    answer = call.cloud.call("ec2", "create_nat_gateway", **request, TagSpecifications=tagged(call, "natgateway"))
    return answer["NatGateway"]["NatGatewayId"]


def _read_nat(cloud: Cloud, nat: Entry) -> Values:
    address = (nat.get("NatGatewayAddresses") or [{}])[0]
    return {
        "subnetId": nat["SubnetId"],
        "vpcId": nat["VpcId"],
        "connectivityType": nat.get("ConnectivityType", "public"),
        "allocationId": address.get("AllocationId", ""),
        "associationId": address.get("AssociationId", ""),
        "networkInterfaceId": address.get("NetworkInterfaceId", ""),
        "privateIp": address.get("PrivateIp", ""),
        "publicIp": address.get("PublicIp", ""),
    }


TYPES = (
    ResourceType(
        token="aws:ec2/internetGateway:InternetGateway",
        create=_create_gateway,
        read=reader("describe_internet_gateways", "InternetGateways", "InternetGatewayIds", _read_gateway),
        delete=_delete_gateway,
        find=finder("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        settle=_settle_gateway,
        settled_on_create=frozenset({"vpcId"}),
    ),
    ResourceType(
        token="aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
        create=_create_egress_only,
        read=reader(
            "describe_egress_only_internet_gateways",
            "EgressOnlyInternetGateways",
            "EgressOnlyInternetGatewayIds",
            _read_egress_only,
        ),
        delete=deleter("delete_egress_only_internet_gateway", "EgressOnlyInternetGatewayId"),
        find=lister(
            "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"
        ),
        settle=retag,
        replace_on=("vpcId",),
    ),
    ResourceType(
        token="aws:ec2/eip:Eip",
        create=_create_address,
        read=reader("describe_addresses", "Addresses", "AllocationIds", _read_address),
        delete=deleter("release_address", "AllocationId"),
        find=finder("describe_addresses", "Addresses", "AllocationId"),
        settle=retag,
        replace_on=("domain", "publicIpv4Pool", "networkBorderGroup"),
    ),
    ResourceType(
        token="aws:ec2/natGateway:NatGateway",
        create=_create_nat,
        read=reader("describe_nat_gateways", "NatGateways", "NatGatewayIds", _read_nat),
        delete=deleter("delete_nat_gateway", "NatGatewayId"),
        find=lister("describe_nat_gateways", "NatGateways", "NatGatewayId"),
        settle=retag,
        replace_on=("subnetId", "allocationId", "connectivityType", "privateIp"),
        defaults={"connectivityType": "public"},
    ),
)
"""Gateways and addresses."""
