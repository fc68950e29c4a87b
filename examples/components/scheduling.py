"""Two teams on the nodes of a cluster that is there: namespaces, quotas, priorities. No Kueue is needed.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
"""

import pulumi

from components.scheduling import Scheduling, SchedulingArgs
from components.settings import PoolConfig, PriorityConfig, QuotaConfig, SchedulingConfig, TeamConfig

scheduling = Scheduling(
    "scheduling",
    SchedulingArgs(
        name="research",
        config=SchedulingConfig(
            teams={
                "vision": TeamConfig(quotas={"h100": QuotaConfig(nodes=3)}, max_pods=200),
                "speech": TeamConfig(quotas={"h100": QuotaConfig(chips=8)}),
            },
            priorities={"urgent": PriorityConfig(value=1000), "batch": PriorityConfig(value=0, preempts=False)},
        ),
        pools={"h100": PoolConfig(instance_type="p5.48xlarge", desired_size=4)},
        vpc_cidr="10.8.0.0/16",
    ),
)

pulumi.export("teams", scheduling.teams)
