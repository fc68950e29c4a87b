"""A network for a GKE cluster: no public address, and one way out."""

from ipaddress import IPv4Network

import pulumi
import pulumi_gcp as gcp

from components.gke_network import GkeNetwork, GkeNetworkArgs
from components.settings import TpuConfig, TpuPoolConfig

slices = TpuPoolConfig(machine_type="ct6e-standard-4t", topology="2x4", zone="us-east5-b")
config = TpuConfig(
    project="my-project", region="us-east5", pools={"v6e": slices}, nodes_cidr=IPv4Network("10.64.0.0/20")
)

google = pulumi.ResourceOptions(provider=gcp.Provider("google", project=config.project, region=config.region))
network = GkeNetwork("network", GkeNetworkArgs(name="research", config=config), google)

pulumi.export("network_id", network.network_id)
pulumi.export("subnet_id", network.subnet_id)
