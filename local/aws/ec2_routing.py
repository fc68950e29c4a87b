"""EC2's route tables, their routes, and their associations with subnets."""

from __future__ import annotations

import hashlib
from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.ec2_common import Entry, deleter, ec2_arn, finder, reader, retag, tagged
from local.aws.resource_type import Call, ResourceType, gone_is_fine
from local.provider.values import Values

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


TYPES = (
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
)
"""Route tables and what is in them."""
