"""A GKE cluster for TPU slices in a network of one's own, and the registry of its images."""

import pulumi
import pulumi_gcp as gcp

from components.gke import Gke, GkeArgs
from components.settings import TpuConfig, TpuPoolConfig

slices = TpuPoolConfig(machine_type="ct6e-standard-4t", topology="2x4", zone="us-east5-b")
config = TpuConfig(project="my-project", region="us-east5", pools={"v6e": slices}, system_nodes=1)

google = pulumi.ResourceOptions(provider=gcp.Provider("google", project=config.project, region=config.region))
network = gcp.compute.Network("own", name="own", auto_create_subnetworks=False, opts=google)
subnet = gcp.compute.Subnetwork(
    "own",
    name="own",
    network=network.id,
    region=config.region,
    ip_cidr_range="10.128.0.0/20",
    # By these names the cluster finds its ranges.
    secondary_ip_ranges=[
        {"range_name": "pods", "ip_cidr_range": "10.132.0.0/14"},
        {"range_name": "services", "ip_cidr_range": "10.129.0.0/20"},
    ],
    opts=google,
)

cluster = Gke(
    "cluster",
    GkeArgs(
        name="research-tpus",
        config=config,
        network_id=network.id,
        subnet_id=subnet.id,
        image=":1",
        retain=False,
    ),
    google,
)

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("push_to", cluster.image)
