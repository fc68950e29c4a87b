"""The VPC over three zones: subnets by role, the ways out, flow logs and a locked default group."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .addresses import ipv6_subnet, plan_subnets
from .endpoints import EndpointsArgs, create_endpoints
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .settings import ZONES, NetworkConfig

_LOAD_BALANCER_TAGS = {"public": "elb", "private": "internal-elb"}  # by which load balancer controllers find subnets


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Arguments of :class:`Network`.

    Attributes:
        zone_names: at least three; the first three are used.
        key_arn: encrypts the flow logs; absent: CloudWatch's own key.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    zone_names: pulumi.Input[Sequence[str]]
    config: NetworkConfig
    key_arn: pulumi.Input[str] | None = None


class Network(pulumi.ComponentResource):
    """The VPC and everything in it that is not a machine.

    Subnets are of a role: ``accelerator`` and ``storage`` ones are the private ones unless the configuration gives them
    their own. Each list has one a zone.

    Attributes:
        vpc_id: the VPC.
        public_subnet_ids: for load balancers and NAT gateways.
        private_subnet_ids: for nodes.
        accelerator_subnet_ids: for nodes with chips.
        storage_subnet_ids: for file systems.
        routed_table_ids: the route tables of all subnets but the public ones.
        routed_table_names: what their routes are named after.
        nat_gateway_ids: the NAT gateways: one a zone, one, or none.
    """

    vpc_id: pulumi.Output[str]
    public_subnet_ids: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    accelerator_subnet_ids: list[pulumi.Output[str]]
    storage_subnet_ids: list[pulumi.Output[str]]
    routed_table_ids: list[pulumi.Output[str]]
    routed_table_names: list[str]
    nat_gateway_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Network), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._vpc = self._create_vpc()
        self.vpc_id = self._vpc.id
        subnets = self._create_subnets()
        public_routes = self._create_way_out(subnets["public"])
        tables = self._create_private_routes(subnets, public_routes)
        self._create_endpoints(list(tables.values()), subnets["private"])
        self._create_flow_log()
        self.public_subnet_ids = [subnet.id for subnet in subnets["public"]]
        self.private_subnet_ids = [subnet.id for subnet in subnets["private"]]
        self.accelerator_subnet_ids = [subnet.id for subnet in subnets.get("accelerator", subnets["private"])]
        self.storage_subnet_ids = [subnet.id for subnet in subnets.get("storage", subnets["private"])]
        self.routed_table_names, self.routed_table_ids = list(tables), [table.id for table in tables.values()]
        self.register_outputs({"vpc_id": self.vpc_id, "private_subnet_ids": self.private_subnet_ids})

    def _tags(self, suffix: str) -> dict[str, str]:
        return {"Name": f"{self._args.name}-{suffix}"}

    def _create_vpc(self) -> aws.ec2.Vpc:
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=str(self._args.config.cidr),
            assign_generated_ipv6_cidr_block=True if self._args.config.ipv6 else None,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._tags("vpc"),
            opts=self._child,
        )
        # Without rules: what names no group of its own can talk to nobody.
        aws.ec2.DefaultSecurityGroup(
            f"{self._name}-default-group", vpc_id=vpc.id, ingress=[], egress=[], opts=self._child
        )
        return vpc

    def _create_subnets(self) -> dict[str, list[aws.ec2.Subnet]]:
        plan = plan_subnets(self._args.config.cidr, ZONES)
        ranges = {"public": plan.public, "private": plan.private}
        ranges |= {role: getattr(plan, role) for role in self._args.config.dedicated_subnets}
        return {
            role: [self._create_subnet(role, zone, str(cidr)) for zone, cidr in enumerate(cidrs)]
            for role, cidrs in ranges.items()
        }

    def _create_subnet(self, role: str, zone: int, cidr: str) -> aws.ec2.Subnet:
        tag = _LOAD_BALANCER_TAGS.get(role)
        return aws.ec2.Subnet(
            f"{self._name}-{role}-{zone}",
            vpc_id=self._vpc.id,
            cidr_block=cidr,
            availability_zone=pulumi.Output.from_input(self._args.zone_names)[zone],
            map_public_ip_on_launch=False,
            tags={**self._tags(f"{role}-{zone}"), **({f"kubernetes.io/role/{tag}": "1"} if tag else {})},
            **self._ipv6(role, zone),
            opts=self._child,
        )

    def _ipv6(self, role: str, zone: int) -> dict[str, Any]:
        """Addresses are handed out where nodes and load balancers are; interfaces of EFA alone can have none."""
        if not self._args.config.ipv6:
            return {}
        block = self._vpc.ipv6_cidr_block.apply(lambda vpc: ipv6_subnet(vpc, role, zone))
        return {"ipv6_cidr_block": block, "assign_ipv6_address_on_creation": role in ("public", "private")}

    def _create_way_out(self, public: list[aws.ec2.Subnet]) -> list[pulumi.Resource]:
        """The internet gateway and the public subnets' routes to it, which NAT gateways need before they work."""
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-gateway", vpc_id=self._vpc.id, tags=self._tags("gateway"), opts=self._child
        )
        table = aws.ec2.RouteTable(
            f"{self._name}-public", vpc_id=self._vpc.id, tags=self._tags("public"), opts=self._child
        )
        route = aws.ec2.Route(
            f"{self._name}-public-default",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )
        if self._args.config.ipv6:
            aws.ec2.Route(
                f"{self._name}-public-default-ipv6",
                route_table_id=table.id,
                destination_ipv6_cidr_block="::/0",
                gateway_id=gateway.id,
                opts=self._child,
            )
        self._associate("public", [table] * len(public), public)
        return [gateway, route]

    def _create_private_routes(
        self, subnets: dict[str, list[aws.ec2.Subnet]], after: list[pulumi.Resource]
    ) -> dict[str, aws.ec2.RouteTable]:
        """One table a zone, which the accelerators' subnets share; storage has one without a way out."""
        nat, public = self._args.config.nat, subnets["public"]
        wanted = {"per_zone": public, "one": public[:1], "none": []}[nat]
        gateways = [self._create_nat(index, subnet, after) for index, subnet in enumerate(wanted)]
        self.nat_gateway_ids = [gateway.id for gateway in gateways]
        ipv6_gateway = self._create_ipv6_gateway()
        zones = range(len(subnets["private"]))
        tables = {f"private-{zone}": self._create_zone_table(zone, gateways, ipv6_gateway) for zone in zones}
        per_zone = list(tables.values())
        for role in ("private", "accelerator"):
            self._associate(role, per_zone[: len(subnets.get(role, ()))], subnets.get(role, []))
        if storage := subnets.get("storage"):
            tables["storage"] = aws.ec2.RouteTable(
                f"{self._name}-storage-routes", vpc_id=self._vpc.id, tags=self._tags("storage"), opts=self._child
            )
            self._associate("storage", [tables["storage"]] * len(storage), storage)
        return tables

    def _create_zone_table(
        self,
        zone: int,
        gateways: list[aws.ec2.NatGateway],
        ipv6_gateway: aws.ec2.EgressOnlyInternetGateway | None,
    ) -> aws.ec2.RouteTable:
        label = f"private-{zone}"
        table = aws.ec2.RouteTable(
            f"{self._name}-{label}-routes", vpc_id=self._vpc.id, tags=self._tags(label), opts=self._child
        )
        if gateways:
            aws.ec2.Route(
                f"{self._name}-{label}-default",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=gateways[zone % len(gateways)].id,
                opts=self._child,
            )
        if ipv6_gateway:
            aws.ec2.Route(
                f"{self._name}-{label}-default-ipv6",
                route_table_id=table.id,
                destination_ipv6_cidr_block="::/0",
                egress_only_gateway_id=ipv6_gateway.id,
                opts=self._child,
            )
        return table

    def _create_nat(self, index: int, subnet: aws.ec2.Subnet, after: list[pulumi.Resource]) -> aws.ec2.NatGateway:
        label = f"nat-{index}"
        address = aws.ec2.Eip(f"{self._name}-{label}-address", domain="vpc", tags=self._tags(label), opts=self._child)
        return aws.ec2.NatGateway(
            f"{self._name}-{label}",
            allocation_id=address.allocation_id,
            subnet_id=subnet.id,
            tags=self._tags(label),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _create_ipv6_gateway(self) -> aws.ec2.EgressOnlyInternetGateway | None:
        """IPv6 has no NAT: this gateway lets connections out and none in."""
        if not self._args.config.ipv6 or self._args.config.nat == "none":
            return None
        return aws.ec2.EgressOnlyInternetGateway(
            f"{self._name}-ipv6-gateway", vpc_id=self._vpc.id, tags=self._tags("ipv6-gateway"), opts=self._child
        )

    def _associate(self, kind: str, tables: list[aws.ec2.RouteTable], subnets: list[aws.ec2.Subnet]) -> None:
        for index, (table, subnet) in enumerate(zip(tables, subnets, strict=True)):
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{kind}-{index}-routes-association",
                route_table_id=table.id,
                subnet_id=subnet.id,
                opts=self._child,
            )

    def _create_endpoints(self, tables: list[aws.ec2.RouteTable], private: list[aws.ec2.Subnet]) -> None:
        args = EndpointsArgs(
            name=self._name,
            tag_name=self._args.name,
            region=self._args.region,
            config=self._args.config,
            account_id=self._args.account_id,
            vpc_id=self._vpc.id,
            route_table_ids=[table.id for table in tables],
            subnet_ids=[subnet.id for subnet in private],
        )
        create_endpoints(args, self._child)

    def _create_flow_log(self) -> None:
        logs = aws.cloudwatch.LogGroup(
            f"{self._name}-flow-logs",
            name=f"/{self._args.name}/flow-logs",
            retention_in_days=self._args.config.flow_log_retention_days,
            kms_key_id=self._args.key_arn,
            opts=self._child,
        )
        role = aws.iam.Role(
            f"{self._name}-flow-logs-role",
            name=fit(self._args.name, self._args.region, "flow-logs", limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(service_trust("vpc-flow-logs.amazonaws.com")),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-flow-logs-policy",
            role=role.name,
            policy=logs.arn.apply(lambda arn: json.dumps(_write_logs(arn))),
            opts=self._child,
        )
        aws.ec2.FlowLog(
            f"{self._name}-flow-log",
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def service_trust(service: str, *extra_actions: str) -> dict[str, object]:
    """A trust policy that lets one AWS service take a role."""
    actions = ["sts:AssumeRole", *extra_actions]
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _write_logs(arn: str) -> dict[str, object]:
    actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": [arn, f"{arn}:*"]}
    return {"Version": "2012-10-17", "Statement": [statement]}
