"""Pinned releases: add-ons and AMIs for each Kubernetes version, and the device plugins' images.

Pinned because what AWS recommends today differs from what it recommended yesterday: reading that at every run rolls
nodes from an unrelated change. Raise them on purpose. Sources: EKS ``DescribeAddonVersions`` for 1.34 and the
amazon-eks-ami releases, both as public repositories quoted them in 2026; tags of the images' own repositories.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ADDONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "1.34": MappingProxyType(
            {
                "vpc-cni": "v1.21.1-eksbuild.1",
                "kube-proxy": "v1.34.1-eksbuild.2",
                "coredns": "v1.12.4-eksbuild.1",
                "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            }
        )
    }
)
# Only where something is declared that they mount.
CSI_ADDONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "1.34": MappingProxyType(
            {
                "aws-ebs-csi-driver": "v1.54.0-eksbuild.1",
                "aws-efs-csi-driver": "v2.2.0-eksbuild.1",
                "aws-fsx-csi-driver": "v1.8.0-eksbuild.1",
            }
        )
    }
)
AMI_RELEASES: Mapping[str, str] = MappingProxyType({"1.34": "1.34.2-20260128"})

# Debian's own account and the names of its images (wiki.debian.org/Cloud/AmazonEC2Image).
DEBIAN_OWNER, DEBIAN_IMAGES = "136693071363", "debian-12-amd64-*"
ANSIBLE_CORE = "2.19.14"  # on machines that bring none, as in pyproject.toml

NVIDIA_DEVICE_PLUGIN = "nvcr.io/nvidia/k8s-device-plugin:v0.17.4"
NEURON_DEVICE_PLUGIN = "public.ecr.aws/neuron/neuron-device-plugin:2.29.16.0"
EFA_DEVICE_PLUGIN = "public.ecr.aws/eks/aws-efa-k8s-device-plugin:v0.5.13"
DCGM_EXPORTER = "nvcr.io/nvidia/k8s/dcgm-exporter:4.2.3-4.1.3-ubuntu22.04"
