"""DCGM's exporter on GPU nodes that are there: they bear the label ``ai-datacenter/pool: h100``.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
Whatever Prometheus you have asks it at port 9400 of each node.
"""

import pulumi

from components.gpu_exporter import DCGM_PORT, GpuExporter, GpuExporterArgs
from components.settings import PoolConfig

exporter = GpuExporter(
    "gpu-exporter", GpuExporterArgs(pools={"h100": PoolConfig(instance_type="p5.48xlarge", desired_size=2)})
)

pulumi.export("exporter_urn", exporter.urn)
pulumi.export("port", DCGM_PORT)
