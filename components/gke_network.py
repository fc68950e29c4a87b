"""The network of the GKE cluster: one subnet without public addresses, and one way out through NAT."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from .naming import component_type
from .settings import TpuConfig

PODS, SERVICES = "pods", "services"
APIS = ("compute.googleapis.com", "container.googleapis.com", "artifactregistry.googleapis.com")
MTU = 8896  # the largest that a VPC takes: traffic between slices goes over it (Compute Engine guide, MTU)


@dataclass(frozen=True, kw_only=True)
class GkeNetworkArgs:
    """Arguments of :class:`GkeNetwork`.

    Attributes:
        config: the section ``tpu`` of the stack file.
    """

    name: str
    config: TpuConfig


class GkeNetwork(pulumi.ComponentResource):
    """The APIs, network, subnet with the ranges of pods and Services, router and NAT.

    Attributes:
        network_id: the network.
        subnet_id: the subnet.
    """

    network_id: pulumi.Output[str]
    subnet_id: pulumi.Output[str]

    def __init__(self, name: str, args: GkeNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(GkeNetwork), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        network = self._create_network(after=self._enable_apis())
        subnet = self._create_subnet(network)
        self.nat = self._create_nat(network)
        self.network_id, self.subnet_id = network.id, subnet.id
        self.register_outputs({"network_id": self.network_id, "subnet_id": self.subnet_id})

    def _enable_apis(self) -> list[pulumi.Resource]:
        """A project begins without them; they stay when the stack goes, for others may use them too."""
        return [
            gcp.projects.Service(
                f"{self._name}-{api.partition('.')[0]}-api",
                project=self._args.config.project,
                service=api,
                disable_on_destroy=False,
                opts=self._child,
            )
            for api in APIS
        ]

    def _create_network(self, after: list[pulumi.Resource]) -> gcp.compute.Network:
        return gcp.compute.Network(
            f"{self._name}-network",
            name=self._args.name,
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            mtu=MTU,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _create_subnet(self, network: gcp.compute.Network) -> gcp.compute.Subnetwork:
        config = self._args.config
        ranges = {PODS: config.pods_cidr, SERVICES: config.services_cidr}
        return gcp.compute.Subnetwork(
            f"{self._name}-subnet",
            name=self._args.name,
            region=config.region,
            network=network.id,
            ip_cidr_range=str(config.nodes_cidr),
            secondary_ip_ranges=[{"range_name": name, "ip_cidr_range": str(cidr)} for name, cidr in ranges.items()],
            # Nodes without a public address reach Google's services all the same.
            private_ip_google_access=True,
            log_config={
                "aggregation_interval": "INTERVAL_5_SEC",
                "flow_sampling": 0.5,
                "metadata": "INCLUDE_ALL_METADATA",
            },
            opts=self._child,
        )

    def _create_nat(self, network: gcp.compute.Network) -> gcp.compute.RouterNat:
        region = self._args.config.region
        router = gcp.compute.Router(
            f"{self._name}-router", name=self._args.name, region=region, network=network.id, opts=self._child
        )
        return gcp.compute.RouterNat(
            f"{self._name}-nat",
            name=self._args.name,
            region=region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=self._child,
        )
