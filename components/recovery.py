"""The recovery region's network, and the peering connection by which the two regions reach each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .naming import component_type
from .network import Network, NetworkArgs
from .settings import NetworkConfig, RecoveryConfig


@dataclass(frozen=True, kw_only=True)
class RecoveryArgs:
    """Arguments of :class:`Recovery`.

    Attributes:
        provider: AWS in the recovery region.
        zone_names: at least three zones of it.
        primary_vpc_id: the stack's own VPC.
        primary_route_table_ids: its tables that get a way there, by what the routes are named after.
        primary_config: the same as configured: its range, and what the second network has like it.
    """

    name: str
    account_id: pulumi.Input[str]
    config: RecoveryConfig
    provider: aws.Provider
    zone_names: pulumi.Input[Sequence[str]]
    primary_vpc_id: pulumi.Input[str]
    primary_route_table_ids: Mapping[str, pulumi.Input[str]]
    primary_config: NetworkConfig


class Recovery(pulumi.ComponentResource):
    """A second network with the first one's roles. What is to be there at a loss is put into it by others.

    Attributes:
        network: the network there.
        vpc_id: its VPC.
        peering_connection_id: what joins the two.
    """

    network: Network
    vpc_id: pulumi.Output[str]
    peering_connection_id: pulumi.Output[str]

    def __init__(self, name: str, args: RecoveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Recovery), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._there = pulumi.ResourceOptions(parent=self, provider=args.provider)
        self.network = self._create_network()
        self.vpc_id = self.network.vpc_id
        accepter = self._create_peering()
        self.peering_connection_id = accepter.vpc_peering_connection_id
        tables = dict(zip(self.network.routed_table_names, self.network.routed_table_ids, strict=True))
        self._create_routes("there", args.primary_route_table_ids, args.config.cidr, accepter, self._child)
        self._create_routes("back", tables, args.primary_config.cidr, accepter, self._there)
        self.register_outputs({"vpc_id": self.vpc_id, "peering_connection_id": self.peering_connection_id})

    def _create_network(self) -> Network:
        args = NetworkArgs(
            name=self._args.name,
            region=self._args.config.region,
            account_id=self._args.account_id,
            zone_names=self._args.zone_names,
            config=recovery_network(self._args.config, self._args.primary_config),
        )
        return Network(f"{self._name}-network", args, self._there)

    def _create_peering(self) -> aws.ec2.VpcPeeringConnectionAccepter:
        """Asked for in the stack's region and accepted in the other: across regions AWS accepts nothing by itself."""
        args = self._args
        connection = aws.ec2.VpcPeeringConnection(
            f"{self._name}-peering",
            vpc_id=args.primary_vpc_id,
            peer_vpc_id=self.vpc_id,
            peer_region=args.config.region,
            auto_accept=False,
            tags={"Name": f"{args.name}-recovery"},
            opts=self._child,
        )
        return aws.ec2.VpcPeeringConnectionAccepter(
            f"{self._name}-peering-accepter",
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags={"Name": f"{args.name}-recovery"},
            opts=self._there,
        )

    def _create_routes(
        self,
        direction: str,
        tables: Mapping[str, pulumi.Input[str]],
        destination: object,
        accepter: aws.ec2.VpcPeeringConnectionAccepter,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Routes to the other side, through the accepter: one to a connection that nobody accepted leads nowhere."""
        for table_name, table_id in tables.items():
            aws.ec2.Route(
                f"{self._name}-{direction}-{table_name}",
                route_table_id=table_id,
                destination_cidr_block=str(destination),
                vpc_peering_connection_id=accepter.vpc_peering_connection_id,
                opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[accepter])),
            )


def recovery_network(config: RecoveryConfig, primary: NetworkConfig) -> NetworkConfig:
    """The first network's roles and rules in the recovery region's range, without what bills by the hour.

    NAT gateways and interface endpoints are made at a recovery; the gateway endpoint of S3 costs nothing.
    """
    return NetworkConfig(
        cidr=config.cidr,
        ipv6=primary.ipv6,
        dedicated_subnets=primary.dedicated_subnets,
        nat="none",
        interface_endpoints=False,
        endpoint_access=primary.endpoint_access,
        flow_log_retention_days=primary.flow_log_retention_days,
    )
