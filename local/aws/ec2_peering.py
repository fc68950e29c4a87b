"""EC2's peering connections between VPCs, asked for on one side and accepted on the other."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.ec2_common import Entry, deleter, lister, reader, retag, tagged
from local.aws.resource_type import Call, ResourceType
from local.provider.values import Values


def _create(call: Call) -> str:
    inputs = call.inputs
    request: dict[str, Any] = {"VpcId": inputs["vpcId"], "PeerVpcId": inputs["peerVpcId"]}
    for name, member in (("peerRegion", "PeerRegion"), ("peerOwnerId", "PeerOwnerId")):
        if inputs.get(name):
            request[member] = inputs[name]
    answer = call.cloud.call(
        "ec2", "create_vpc_peering_connection", **request, TagSpecifications=tagged(call, "vpc-peering-connection")
    )
    return answer["VpcPeeringConnection"]["VpcPeeringConnectionId"]


def _read(cloud: Cloud, peering: Entry) -> Values:
    requester, accepter = peering["RequesterVpcInfo"], peering["AccepterVpcInfo"]
    return {
        "vpcId": requester["VpcId"],
        "peerVpcId": accepter["VpcId"],
        "peerRegion": accepter.get("Region") or cloud.region,
        "peerOwnerId": accepter.get("OwnerId") or ACCOUNT,
        "acceptStatus": peering["Status"]["Code"],
    }


_read_connection = reader("describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionIds", _read)


def _accept(call: Call) -> str:
    """Accepting is the whole of it: what was accepted before stays so."""
    id = call.inputs["vpcPeeringConnectionId"]
    found = _read_connection(call.cloud, id, {})
    if call.inputs.get("autoAccept") and (found is None or found["acceptStatus"] != "active"):
        call.cloud.call("ec2", "accept_vpc_peering_connection", VpcPeeringConnectionId=id)
    return id


def _read_accepter(cloud: Cloud, id: str, state: Values) -> Values | None:
    """The connection from its other side. Tags stay the requester's here: in one region there is one set of them."""
    found = _read_connection(cloud, id, state)
    if found is None:
        return None
    own = {"vpcId": found["peerVpcId"], "peerVpcId": found["vpcId"], "vpcPeeringConnectionId": id}
    outputs = {**found, **own, "peerRegion": state.get("peerRegion", "")}
    return {name: value for name, value in outputs.items() if name != "tags"}


def _release(cloud: Cloud, id: str, state: Values) -> None:
    """The connection is the requester's: as with the official provider the accepter only lets go of it."""


TYPES = (
    ResourceType(
        token="aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        create=_create,
        read=_read_connection,
        delete=deleter("delete_vpc_peering_connection", "VpcPeeringConnectionId"),
        find=lister("describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId"),
        settle=retag,
        replace_on=("vpcId", "peerVpcId", "peerRegion", "peerOwnerId"),
    ),
    ResourceType(
        token="aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
        create=_accept,
        read=_read_accepter,
        delete=_release,
        replace_on=("vpcPeeringConnectionId",),
        taggable=False,
    ),
)
"""Peering connections and their accepters."""
