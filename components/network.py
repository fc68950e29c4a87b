"""The VPC over three zones: subnets, the ways out, private endpoints, flow logs and a locked default group."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .addresses import plan_subnets
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .settings import ZONES, NetworkConfig

# What nodes and pods without a way out need: EKS guide, "Deploy private clusters with limited internet access".
INTERFACE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts")


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """``zone_names``: at least three; the first three are used."""

    name: str
    region: str
    zone_names: pulumi.Input[list[str]]
    config: NetworkConfig
    key_arn: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """The VPC and everything in it that is not a machine."""

    vpc_id: pulumi.Output[str]
    private_subnet_ids: list[pulumi.Output[str]]
    public_subnet_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Network), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._vpc = self._create_vpc()
        self.vpc_id = self._vpc.id
        public, private = self._create_subnets()
        public_routes = self._create_way_out(public)
        private_tables = self._create_private_routes(public, private, public_routes)
        self._create_gateway_endpoint(private_tables)
        self._create_interface_endpoints(private)
        self._create_flow_log()
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.public_subnet_ids = [subnet.id for subnet in public]
        self.register_outputs({"vpc_id": self.vpc_id, "private_subnet_ids": self.private_subnet_ids})

    def _tags(self, suffix: str) -> dict[str, str]:
        return {"Name": f"{self._args.name}-{suffix}"}

    def _create_vpc(self) -> aws.ec2.Vpc:
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=str(self._args.config.cidr),
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

    def _create_subnets(self) -> tuple[list[aws.ec2.Subnet], list[aws.ec2.Subnet]]:
        plan = plan_subnets(self._args.config.cidr, ZONES)
        zone_names = pulumi.Output.from_input(self._args.zone_names)
        kinds = (("public", plan.public, "elb"), ("private", plan.private, "internal-elb"))
        made: dict[str, list[aws.ec2.Subnet]] = {}
        for kind, ranges, role in kinds:
            made[kind] = [
                aws.ec2.Subnet(
                    f"{self._name}-{kind}-{index}",
                    vpc_id=self._vpc.id,
                    cidr_block=str(cidr),
                    availability_zone=zone_names[index],
                    map_public_ip_on_launch=False,
                    tags={**self._tags(f"{kind}-{index}"), f"kubernetes.io/role/{role}": "1"},
                    opts=self._child,
                )
                for index, cidr in enumerate(ranges)
            ]
        return made["public"], made["private"]

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
        self._associate("public", [table] * len(public), public)
        return [gateway, route]

    def _create_private_routes(
        self, public: list[aws.ec2.Subnet], private: list[aws.ec2.Subnet], after: list[pulumi.Resource]
    ) -> list[aws.ec2.RouteTable]:
        gateways = [
            self._create_nat(index, subnet, after)
            for index, subnet in enumerate(public if self._args.config.nat == "per_zone" else public[:1])
        ]
        tables: list[aws.ec2.RouteTable] = []
        for index in range(len(private)):
            label = f"private-{index}"
            table = aws.ec2.RouteTable(
                f"{self._name}-{label}-routes", vpc_id=self._vpc.id, tags=self._tags(label), opts=self._child
            )
            aws.ec2.Route(
                f"{self._name}-{label}-default",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=gateways[index % len(gateways)].id,
                opts=self._child,
            )
            tables.append(table)
        self._associate("private", tables, private)
        return tables

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

    def _associate(self, kind: str, tables: list[aws.ec2.RouteTable], subnets: list[aws.ec2.Subnet]) -> None:
        for index, (table, subnet) in enumerate(zip(tables, subnets, strict=True)):
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{kind}-{index}-routes-association",
                route_table_id=table.id,
                subnet_id=subnet.id,
                opts=self._child,
            )

    def _create_gateway_endpoint(self, tables: list[aws.ec2.RouteTable]) -> None:
        """Datasets and checkpoints reach S3 without a NAT gateway, which bills each byte."""
        aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{self._args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags=self._tags("s3"),
            opts=self._child,
        )

    def _create_interface_endpoints(self, private: list[aws.ec2.Subnet]) -> None:
        if not self._args.config.interface_endpoints:
            return
        group = aws.ec2.SecurityGroup(
            f"{self._name}-endpoints",
            description="HTTPS from inside the VPC to the interface endpoints",
            vpc_id=self._vpc.id,
            tags=self._tags("endpoints"),
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-endpoints-https",
            security_group_id=group.id,
            cidr_ipv4=str(self._args.config.cidr),
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            opts=self._child,
        )
        for service in INTERFACE_ENDPOINTS:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service.replace('.', '-')}",
                vpc_id=self._vpc.id,
                service_name=f"com.amazonaws.{self._args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private],
                security_group_ids=[group.id],
                tags=self._tags(service),
                opts=self._child,
            )

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
