"""Device plugins for pools that are there: their nodes bear the label ``ai-datacenter/pool``.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
"""

import pulumi

from components.device_plugins import DevicePlugins, DevicePluginsArgs
from components.settings import PoolConfig

plugins = DevicePlugins(
    "plugins",
    DevicePluginsArgs(
        pools={
            "h100": PoolConfig(instance_type="p5.48xlarge", desired_size=2),
            "trn2": PoolConfig(instance_type="trn2.48xlarge", desired_size=1),
        }
    ),
)

pulumi.export("plugin_names", plugins.plugin_names)
