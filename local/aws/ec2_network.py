"""EC2's network types: VPC, subnets, gateways, routes, endpoints, flow logs."""

from __future__ import annotations

import hashlib
from typing import Any

from local.aws.cloud import ACCOUNT, Cloud, ServiceError, tag_map
from local.aws.ec2_common import Entry, deleter, ec2_arn, finder, reader, retag, tagged
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.provider import ProviderError
from local.provider.values import Values

# -- VPC ------------------------------------------------------------------------------------------------------------


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


def _settle_vpc(call: Call, changed: frozenset[str]) -> None:
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
    ipv6 = (vpc.get("Ipv6CidrBlockAssociationSet") or [{}])[0]
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


# -- Subnet ---------------------------------------------------------------------------------------------------------

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


def _settle_subnet(call: Call, changed: frozenset[str]) -> None:
    for name, member in _SUBNET_ATTRIBUTES.items():
        if name in changed:
            value = bool(call.inputs.get(name, False))
            call.cloud.call("ec2", "modify_subnet_attribute", SubnetId=call.id, **{member: {"Value": value}})
    retag(call, changed)


def _read_subnet(cloud: Cloud, subnet: Entry) -> Values:
    ipv6 = (subnet.get("Ipv6CidrBlockAssociationSet") or [{}])[0]
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


# -- Internet gateway -----------------------------------------------------------------------------------------------


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


# -- Route tables, routes, associations -------------------------------------------------------------------------------

_TARGETS = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}
_DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}


def _route_request(values: Values) -> dict[str, Any]:
    names = {**_TARGETS, **_DESTINATIONS, "routeTableId": "RouteTableId"}
    return {member: values[name] for name, member in names.items() if values.get(name)}


def _create_table(call: Call) -> str:
    answer = call.cloud.call(
        "ec2", "create_route_table", VpcId=call.inputs["vpcId"], TagSpecifications=tagged(call, "route-table")
    )
    return answer["RouteTable"]["RouteTableId"]


def _inline_route(route: Values) -> Values:
    """A route of a table's ``routes`` property, which says ``cidrBlock`` for a Route's ``destinationCidrBlock``."""
    return {
        **route,
        "destinationCidrBlock": route.get("cidrBlock"),
        "destinationIpv6CidrBlock": route.get("ipv6CidrBlock"),
    }


def _settle_table(call: Call, changed: frozenset[str]) -> None:
    if "routes" in changed:
        before, after = call.old_inputs.get("routes") or [], call.inputs.get("routes") or []
        for route in (route for route in before if route not in after):
            gone_is_fine(lambda route=route: _delete_route(call.cloud, call.id, _inline_route(route)))
        for route in after:
            _put_route(call.cloud, {**_inline_route(route), "routeTableId": call.id})
    retag(call, changed)


def _read_table(cloud: Cloud, table: Entry) -> Values:
    return {
        "arn": ec2_arn(cloud, "route-table", table["RouteTableId"]),
        "vpcId": table["VpcId"],
        "ownerId": table.get("OwnerId", ACCOUNT),
        "propagatingVgws": [gateway["GatewayId"] for gateway in table.get("PropagatingVgws", [])],
        "routes": [
            {
                "cidrBlock": route.get("DestinationCidrBlock", ""),
                "ipv6CidrBlock": route.get("DestinationIpv6CidrBlock", ""),
                **{name: route.get(member, "") for name, member in _TARGETS.items()},
            }
            for route in table.get("Routes", [])
            if route.get("GatewayId") != "local" and not str(route.get("GatewayId", "")).startswith("vpce-")
        ],
    }


def _destination(values: Values) -> str:
    return next((str(values[name]) for name in _DESTINATIONS if values.get(name)), "")


def _find_route(cloud: Cloud, table: str, destination: str) -> Entry | None:
    answer = cloud.seek("ec2", "describe_route_tables", RouteTableIds=[table])
    for route in (answer or {"RouteTables": [{"Routes": []}]})["RouteTables"][0]["Routes"]:
        if destination in (route.get(member) for member in _DESTINATIONS.values()):
            return route
    return None


def _put_route(cloud: Cloud, values: Values) -> None:
    """Make the route, or point the one with the same destination to the target."""
    operation = "replace_route" if _find_route(cloud, values["routeTableId"], _destination(values)) else "create_route"
    cloud.call("ec2", operation, **_route_request(values))


def _create_route(call: Call) -> str:
    _put_route(call.cloud, call.inputs)
    digest = hashlib.sha256(_destination(call.inputs).encode()).hexdigest()[:10]
    return f"r-{call.inputs['routeTableId']}{digest}"


def _settle_route(call: Call, changed: frozenset[str]) -> None:
    call.cloud.call("ec2", "replace_route", **_route_request(call.inputs))


def _read_route(cloud: Cloud, id: str, state: Values) -> Values | None:
    route = _find_route(cloud, state.get("routeTableId", ""), _destination(state))
    if route is None:
        return None
    target = {name: route.get(member, "") for name, member in _TARGETS.items()}
    return {**target, "routeTableId": state["routeTableId"], "origin": "CreateRoute", "state": route["State"]}


def _delete_route(cloud: Cloud, id: str, state: Values) -> None:
    table = state.get("routeTableId") or id
    destination = {member: state[name] for name, member in _DESTINATIONS.items() if state.get(name)}
    gone_is_fine(lambda: cloud.call("ec2", "delete_route", RouteTableId=table, **destination))


def _associations(cloud: Cloud, filters: list[Entry]) -> list[Entry]:
    answer = cloud.seek("ec2", "describe_route_tables", Filters=filters)
    return [one for table in (answer or {"RouteTables": []})["RouteTables"] for one in table["Associations"]]


def _create_association(call: Call) -> str:
    subnet, table = call.inputs.get("subnetId"), call.inputs["routeTableId"]
    if subnet:
        for one in _associations(call.cloud, [{"Name": "association.subnet-id", "Values": [subnet]}]):
            if one.get("SubnetId") == subnet and one["RouteTableId"] == table:
                return one["RouteTableAssociationId"]
    request = {"SubnetId": subnet} if subnet else {"GatewayId": call.inputs.get("gatewayId", "")}
    return call.cloud.call("ec2", "associate_route_table", RouteTableId=table, **request)["AssociationId"]


def _read_association(cloud: Cloud, id: str, state: Values) -> Values | None:
    by_id = [{"Name": "association.route-table-association-id", "Values": [id]}]
    by_subnet = [{"Name": "association.subnet-id", "Values": [state["subnetId"]]}] if state.get("subnetId") else by_id
    for one in _associations(cloud, by_subnet):
        if one["RouteTableAssociationId"] == id:
            return {"routeTableId": one["RouteTableId"], "subnetId": one.get("SubnetId", "")}
    return None


def _settle_association(call: Call, changed: frozenset[str]) -> None:
    raise ProviderError("a route table association is replaced, never changed")


# -- Addresses, NAT, endpoints, flow logs -----------------------------------------------------------------------------


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


_FLOW_SOURCES = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}


def _create_flow_log(call: Call) -> str:
    inputs = call.inputs
    source = next(name for name in _FLOW_SOURCES if inputs.get(name))
    request: dict[str, Any] = {
        "ResourceIds": [inputs[source]],
        "ResourceType": _FLOW_SOURCES[source],
        "TrafficType": inputs.get("trafficType", "ALL"),
        "LogDestinationType": inputs.get("logDestinationType", "cloud-watch-logs"),
    }
    destination = str(inputs.get("logDestination", ""))
    if request["LogDestinationType"] == "cloud-watch-logs" and ":log-group:" in destination:
        request["LogGroupName"] = destination.split(":log-group:")[1].removesuffix(":*")
    elif destination:
        request["LogDestination"] = destination
    if inputs.get("iamRoleArn"):
        request["DeliverLogsPermissionArn"] = inputs["iamRoleArn"]
    if inputs.get("logFormat"):
        request["LogFormat"] = inputs["logFormat"]
    if inputs.get("maxAggregationInterval"):
        request["MaxAggregationInterval"] = int(inputs["maxAggregationInterval"])
    answer = call.cloud.call("ec2", "create_flow_logs", **request, TagSpecifications=tagged(call, "vpc-flow-log"))
    if answer.get("Unsuccessful"):
        error = answer["Unsuccessful"][0]["Error"]
        raise ServiceError(error["Code"], f"ec2 create_flow_logs: {error['Code']}: {error['Message']}")
    return answer["FlowLogIds"][0]


def _read_flow_log(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("ec2", "describe_flow_logs", FlowLogIds=[id])
    if not answer or not answer["FlowLogs"]:
        return None
    log = answer["FlowLogs"][0]
    group = log.get("LogGroupName")
    destination = log.get("LogDestination") or (cloud.arn("logs", f"log-group:{group}") if group else "")
    source = {"vpc": "vpcId", "subnet": "subnetId", "eni-": "eniId"}
    key = next((name for prefix, name in source.items() if log["ResourceId"].startswith(prefix)), "vpcId")
    return {
        "arn": ec2_arn(cloud, "vpc-flow-log", id),
        key: log["ResourceId"],
        "trafficType": log["TrafficType"],
        "logDestinationType": log.get("LogDestinationType", "cloud-watch-logs"),
        "logDestination": destination.removesuffix(":*"),
        "iamRoleArn": log.get("DeliverLogsPermissionArn") or "",
        "logFormat": log.get("LogFormat", ""),
        "maxAggregationInterval": int(log.get("MaxAggregationInterval") or 600),
        "tags": tag_map(log.get("Tags")),
    }


def _find_flow_log(call: Call) -> list[str]:
    answer = call.cloud.call("ec2", "describe_flow_logs")
    return [log["FlowLogId"] for log in answer["FlowLogs"] if tag_map(log.get("Tags")).get(URN_TAG) == call.urn]


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
        replace_on=("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6CidrBlock"),
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
        token="aws:ec2/routeTable:RouteTable",
        create=_create_table,
        read=reader("describe_route_tables", "RouteTables", "RouteTableIds", _read_table),
        delete=deleter("delete_route_table", "RouteTableId"),
        find=finder("describe_route_tables", "RouteTables", "RouteTableId"),
        settle=_settle_table,
        settled_on_create=frozenset({"routes"}),
        replace_on=("vpcId",),
    ),
    ResourceType(
        token="aws:ec2/route:Route",
        create=_create_route,
        read=_read_route,
        delete=_delete_route,
        settle=_settle_route,
        replace_on=("routeTableId", *_DESTINATIONS),
        taggable=False,
        delete_before_replace=True,
    ),
    ResourceType(
        token="aws:ec2/routeTableAssociation:RouteTableAssociation",
        create=_create_association,
        read=_read_association,
        delete=deleter("disassociate_route_table", "AssociationId"),
        replace_on=("routeTableId", "subnetId", "gatewayId"),
        taggable=False,
        delete_before_replace=True,
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
        find=finder("describe_nat_gateways", "NatGateways", "NatGatewayId"),
        settle=retag,
        replace_on=("subnetId", "allocationId", "connectivityType", "privateIp"),
        defaults={"connectivityType": "public"},
    ),
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
    ResourceType(
        token="aws:ec2/flowLog:FlowLog",
        create=_create_flow_log,
        read=_read_flow_log,
        delete=deleter("delete_flow_logs", "FlowLogIds", many=True),
        find=_find_flow_log,
        settle=retag,
        replace_on=(
            *_FLOW_SOURCES, "trafficType", "logDestination", "logDestinationType", "iamRoleArn", "logFormat",
            "maxAggregationInterval", "destinationOptions",
        ),
        defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
    ),
)  # fmt: skip
"""The network's types."""
