"""Where the catalogue's numbers come from. A tag that ends in ``?`` was only seen second-hand: re-check it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .model import Price

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "EC2": "EC2 DescribeInstanceTypes, the copy in moto 5.2.5 (device memory there in MiB)",
        "EC2+NEURON": "EC2 DescribeInstanceTypes, the copy in moto 5.2.5; chips: AWS Neuron documentation, Trn2",
        "P6E?": "public repositories quoting AWS's P6e-GB200 page (2026-01); EC2's copied description lacks it",
        "A10G?": "NVIDIA A10G data sheet for AWS",
        "L4": "NVIDIA L4 data sheet",
        "L40S": "NVIDIA L40S data sheet",
        "A100": "NVIDIA A100 data sheet (SXM)",
        "HGX": "NVIDIA data sheets of H100 SXM, H200 and HGX B200, dense: half of the headline numbers with sparsity",
        "B300?": "NVIDIA HGX B300 data sheet, dense",
        "NVL72?": "NVIDIA GB200 NVL72 data sheet, a 72nd of the rack, dense",
        "NEURON": "AWS Neuron documentation 2.29, Trainium and Trainium2 architecture",
        "NEURON-CORES": "AWS Neuron documentation, training guide and logical NeuronCores: the default of a chip",
        "NEURON?": "AWS Neuron documentation, Trn2 architecture",
        "TPU": "Google Cloud TPU documentation, system architecture of the version",
        "GKE?": "GKE documentation, Plan TPUs in GKE; vCPUs and memory of ct5p, ct6e and tpu7x",
        "PRICE": "EC2 price list for us-east-1, as aws/karpenter-provider-aws generated it from the Price List API",
        "BLOCK?": "EC2 Capacity Blocks price page, rates by accelerator from 2026-10-07 on, the same in all regions",
        "TPU-PRICE": "Google Cloud price list for us-central1, as skypilot-org/skypilot-catalog quotes it, by chip",
        "TPU-PRICE?": "Google Cloud TPU price page, us-central1, by chip",
        "MAXTEXT": "AI-Hypercomputer/maxtext README, published performance",
        "LLAMA3?": "The Llama 3 Herd of Models, table 4: bf16 MFU of Llama 3 405B",
        "MEGATRON": "Korthikanti et al. 2022, Reducing Activation Recomputation in Large Transformer Models, abstract",
        "AICR?": "NVIDIA/aicr#1256, nccl-tests on two p5.48xlarge with EFA",
        "MAMF": "stas00/ml-engineering, maximum achievable matmul FLOPS",
        "JAX-1B?": "public JAX trainers of about 1 B parameters on one 8 × H100 machine",
    }
)


def ec2_price(usd_per_hour: float | None) -> Price | None:
    """A price of the EC2 price list as it was on one day; ``None`` where the list has none."""
    if usd_per_hour is None:
        return None
    return Price(usd_per_hour=usd_per_hour, region="us-east-1", read_on="2026-07-20", source="PRICE")


def block_price(usd_per_chip_hour: float | None, chips: int) -> Price | None:
    """The price of a whole machine in a capacity block; ``None`` where it is unknown."""
    if usd_per_chip_hour is None:
        return None
    usd = round(usd_per_chip_hour * chips, 4)
    return Price(usd_per_hour=usd, region="all", read_on="2026-10-07", source="BLOCK?")
