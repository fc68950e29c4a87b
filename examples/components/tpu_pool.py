"""Two TPU slices, which come when a pod waits for them, for a GKE cluster that is there."""

import pulumi
import pulumi_gcp as gcp

from components.settings import TpuPoolConfig
from components.tpu_pool import TpuPool, TpuPoolArgs

google = pulumi.ResourceOptions(provider=gcp.Provider("google", project="my-project", region="us-east5"))
pool = TpuPool(
    "v6e",
    TpuPoolArgs(
        name="research",
        pool="v6e",
        region="us-east5",
        config=TpuPoolConfig(
            machine_type="ct6e-standard-4t", topology="2x4", zone="us-east5-b", slices=2, autoscaled=True
        ),
        cluster_name="research-tpus",  # yours
        node_account_email="nodes@my-project.iam.gserviceaccount.com",
    ),
    google,
)

pulumi.export("node_pools", [made.name for made in pool.node_pools])
