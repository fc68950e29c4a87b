"""The catalogue is complete, says where its numbers are from, agrees with EC2, and is the only place of its numbers."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from components.accelerators import (
    CATALOGUE,
    EC2_TYPES,
    SOURCES,
    TPU_TYPES,
    Capacity,
    Chip,
    Cloud,
    InstanceType,
    Precision,
    Vendor,
    is_sold_in,
    regions_with,
    zones_of,
)
from components.settings import REGIONS

ROOT = Path(__file__).resolve().parents[2]
CHIPS = {row.chip.name: row.chip for row in CATALOGUE.values() if row.chip}
# The types that the catalogue has and EC2's copied description lacks, or describes wrongly.
NOT_DESCRIBED = {"p6e-gb200.36xlarge"}
DEVICE_MEMORY_WRONG = {"trn2.3xlarge", "trn2.48xlarge", "trn2u.48xlarge"}


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_a_row_is_whole(row: InstanceType) -> None:
    assert (row.chip is None) == (row.chips == 0) == (row.device_resource is None)
    assert row.vcpus > 0
    assert row.memory_gib > 0
    assert row.source in SOURCES
    assert row.price is None or (row.price.usd_per_hour > 0 and row.price.source in SOURCES)
    for price in (row.price, row.block_price):
        assert price is None or re.fullmatch(r"20\d\d-\d\d-\d\d", price.read_on)
    assert row.block_price is None or Capacity.CAPACITY_BLOCK in row.capacities
    assert row.domain_chips >= row.chips if row.chip and row.chip.link else row.domain_chips == 1
    assert (row.ami_type is None) == (row.cloud is Cloud.GOOGLE) == (row.gke_accelerator is not None)
    assert row.capacities
    assert {one.source for one in row.all_reduce} <= set(SOURCES)
    assert json.loads(json.dumps(row.row()))["instance_type"] == row.name


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_the_adapters_lie_on_cards_that_are_there(row: InstanceType) -> None:
    if row.efa_interfaces and row.first_efa_card is not None:
        assert row.first_efa_card + row.efa_interfaces <= row.network_cards
        assert row.network_cards == 1 or row.first_efa_card + row.efa_interfaces == row.network_cards
    pods = row.max_pods(row.efa_interfaces)
    assert pods is None or 4 <= pods <= 250


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS.keys())
def test_a_chip_is_whole_and_every_number_has_a_source(chip: Chip) -> None:
    numbers = {
        name: value
        for name in ("memory_gib", "peak_flops", "memory_bytes_per_s", "link_bytes_per_s", "power_w")
        if (value := getattr(chip, name)) is not None
    }
    assert set(numbers) <= set(chip.sources)
    assert chip.devices == 1 or "devices" in chip.sources
    anchors = [*([chip.matmul_flops] if chip.matmul_flops else []), *chip.training_mfu]
    assert {*chip.sources.values(), *(anchor.source for anchor in anchors)} <= set(SOURCES)
    assert all(peak > 0 for peak in chip.peak_flops.values())
    assert chip.link_bytes_per_s is None or chip.link


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS.keys())
def test_fewer_bits_are_never_slower_and_what_was_measured_is_below_the_peak(chip: Chip) -> None:
    order = [Precision.FP32, Precision.TF32, Precision.BF16, Precision.FP8, Precision.FP4]
    peaks = [chip.peak_flops[precision] for precision in order if precision in chip.peak_flops]
    assert peaks == sorted(peaks)
    assert chip.matmul_flops is None or 0.5 * chip.peak_bf16_flops < chip.matmul_flops.value < chip.peak_bf16_flops
    assert all(0.1 < anchor.value < 0.8 for anchor in chip.training_mfu)


def test_every_source_is_used() -> None:
    used = {row.source for row in CATALOGUE.values()} | {row.price.source for row in CATALOGUE.values() if row.price}
    used |= {row.block_price.source for row in CATALOGUE.values() if row.block_price}
    used |= {one.source for row in CATALOGUE.values() for one in row.all_reduce}
    for chip in CHIPS.values():
        used |= {*chip.sources.values(), *(anchor.source for anchor in chip.training_mfu)}
        used |= {chip.matmul_flops.source} if chip.matmul_flops else set()
    assert used == set(SOURCES)


def test_the_named_families_are_there() -> None:
    families = " ".join(dict.fromkeys(CATALOGUE[name].family for name in EC2_TYPES))
    assert families == "m7i c7i r7i g5 g6 g6e p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200 trn1 trn1n trn2 trn2u"
    assert {name.partition("-")[0] for name in TPU_TYPES} == {"ct5lp", "ct5p", "ct6e", "tpu7x"}


def described() -> dict[str, Any]:
    """EC2's description of its types."""
    return json.loads(gzip.decompress((files("moto.ec2") / "resources" / "instance_types.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def ec2() -> dict[str, Any]:
    return described()


@pytest.mark.parametrize("name", [name for name in EC2_TYPES if name not in NOT_DESCRIBED])
def test_a_type_is_as_ec2_describes_it(name: str, ec2: dict[str, Any]) -> None:
    row, found = CATALOGUE[name], ec2[name]
    network = found["NetworkInfo"]
    cards = network["NetworkCards"]
    fabric = [card["NetworkCardIndex"] for card in cards if "efa-only" in card["InterfaceTypes"]]
    assert row.vcpus == found["VCpuInfo"]["DefaultVCpus"]
    assert row.memory_gib == found["MemoryInfo"]["SizeInMiB"] / 1024
    assert [row.architecture] == found["ProcessorInfo"]["SupportedArchitectures"]
    assert row.nvme_gb == found.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)
    assert row.network_cards == network["MaximumNetworkCards"]
    assert row.efa_interfaces == network.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0) == len(fabric)
    assert not fabric or fabric[0] == row.first_efa_card
    assert row.card_interfaces == cards[0]["MaximumNetworkInterfaces"]
    assert row.interface_addresses == network["Ipv4AddressesPerInterface"]
    assert {capacity.value.replace("_", "-") for capacity in row.capacities} == set(found["SupportedUsageClasses"])
    assert row.network_gbps == _gbps(network)


def _gbps(network: dict[str, Any]) -> float:
    """The bandwidth in EC2's words: "16x 200 Gigabit", "3200 Gigabit"; the baseline of "Up to 10 Gigabit"."""
    words = re.fullmatch(r"(?:(\d+)x )?([\d.]+) Gigabit", network["NetworkPerformance"])
    if words is None:
        return network["NetworkCards"][0]["BaselineBandwidthInGbps"]
    return int(words[1] or 1) * float(words[2])


@pytest.mark.parametrize("name", [name for name in EC2_TYPES if name not in NOT_DESCRIBED])
def test_the_chips_are_as_ec2_describes_them(name: str, ec2: dict[str, Any]) -> None:
    row, found = CATALOGUE[name], ec2[name]
    devices = [*found.get("GpuInfo", {}).get("Gpus", ()), *(found.get("NeuronInfo") or {}).get("NeuronDevices", ())]
    if name == "trn2u.48xlarge":
        assert not devices, "EC2's copy now describes Trn2u: compare it"
        return
    assert row.chips == sum(device["Count"] for device in devices)
    if row.chip and name not in DEVICE_MEMORY_WRONG:
        assert row.chip.memory_gib == devices[0]["MemoryInfo"]["SizeInMiB"] / 1024
        assert row.chip.name.partition(" ")[0] == devices[0]["Name"]


def test_what_ec2_is_said_to_describe_wrongly_it_still_does(ec2: dict[str, Any]) -> None:
    assert NOT_DESCRIBED.isdisjoint(ec2)
    for name in DEVICE_MEMORY_WRONG - {"trn2u.48xlarge"}:
        assert ec2[name]["NeuronInfo"]["NeuronDevices"][0]["MemoryInfo"]["SizeInMiB"] == 512 * 1024


def test_arm_machines_get_the_arm_image() -> None:
    assert CATALOGUE["p6e-gb200.36xlarge"].ami_type == "AL2023_ARM_64_NVIDIA"
    assert CATALOGUE["trn2.48xlarge"].ami_type == "AL2023_x86_64_NEURON"
    assert CATALOGUE["ct6e-standard-4t"].ami_type is None
    assert {row.vendor for row in CATALOGUE.values()} == set(Vendor)


def test_pods_are_as_the_network_plugin_counts_them() -> None:
    assert CATALOGUE["m7i.large"].max_pods(0) == 29
    assert CATALOGUE["p5.48xlarge"].max_pods(0) == 100
    assert CATALOGUE["p5.48xlarge"].max_pods(32) == 51
    assert CATALOGUE["trn1.32xlarge"].max_pods(0) == 247
    assert CATALOGUE["c7i.4xlarge"].max_pods(0) == 110
    assert CATALOGUE["ct6e-standard-4t"].max_pods(0) is None


def test_a_region_sells_what_ec2_offers_there_and_what_is_unknown_is_not_denied() -> None:
    assert regions_with("trn2u.48xlarge") == ("ap-south-2",)
    assert "us-east-2" in (regions_with("p5en.48xlarge") or ())
    assert regions_with("p6e-gb200.36xlarge") is None
    assert zones_of("us-east-2") == ("us-east-2a", "us-east-2b", "us-east-2c")
    assert zones_of("ap-southeast-7") is None
    assert is_sold_in("us-east-2", "p5en.48xlarge")
    assert not is_sold_in("us-east-2", "trn2u.48xlarge")
    assert is_sold_in("ap-southeast-7", "trn2u.48xlarge")
    assert is_sold_in("us-east-2", "p6e-gb200.36xlarge")
    for name in EC2_TYPES:
        assert set(regions_with(name) or ()) <= set(REGIONS)


def test_a_price_is_of_a_way_of_buying_that_there_is_and_spot_s_is_unknown() -> None:
    for row in CATALOGUE.values():
        assert row.price is None or Capacity.ON_DEMAND in row.capacities
        assert row.price_of(Capacity.SPOT) is None
    p5 = CATALOGUE["p5.48xlarge"]
    assert (p5.price_of(Capacity.ON_DEMAND), p5.price_of(Capacity.CAPACITY_BLOCK)) == (p5.price, p5.block_price)
    assert CATALOGUE["p5e.48xlarge"].price_of(Capacity.ON_DEMAND) is None


# --- Nothing else repeats the catalogue.

SEARCHED = ("components", "operations", "workloads", "playbooks", "local")


def sources_of_others() -> Iterator[Path]:
    for folder in SEARCHED:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".yml", ".yaml", ".j2", ".json") and "accelerators" not in file.parts:
                yield file


def telling_numbers() -> dict[float, str]:
    """The numbers that cannot stand anywhere else by chance: speeds, prices, device memories."""
    found: dict[float, str] = {}
    for chip in CHIPS.values():
        rates = {*chip.peak_flops.values(), chip.memory_bytes_per_s, *([chip.link_bytes_per_s or 0.0])} - {0.0}
        if chip.matmul_flops:
            rates.add(chip.matmul_flops.value)
        found |= dict.fromkeys(rates, f"a speed of {chip.name}")
        found |= {tera: f"a speed of {chip.name}" for rate in rates if is_telling(tera := rate / 1e12)}
        found |= {size: f"memory of {chip.name}" for size in (chip.memory_gib * 1024,) if size % 1024}
    for row in CATALOGUE.values():
        for price in (row.price, row.block_price):
            if price and is_telling(price.usd_per_hour):
                found[price.usd_per_hour] = f"the price of {row.name}"
    return found


def is_telling(number: float) -> bool:
    """Whether a number has at least three digits that are no zeros at the end."""
    return len(f"{number:.10g}".replace(".", "").strip("0")) >= 3


def numbers_in(file: Path) -> Iterator[float]:
    if file.suffix == ".py":
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, int | float)
                and not isinstance(node.value, bool)
            ):
                yield float(node.value)
        return
    for text in re.findall(r"(?<![\w.:-])\d+(?:\.\d+)?(?:e\d+)?(?![\w.:-])", file.read_text()):
        yield float(text)


def test_no_other_file_repeats_the_catalogue_s_numbers() -> None:
    telling = telling_numbers()
    assert len(telling) > 100
    repeated = [
        f"{file.relative_to(ROOT)}: {number:.10g} is {telling[number]}"
        for file in sources_of_others()
        for number in numbers_in(file)
        if number in telling
    ]
    assert not repeated, "\n".join(repeated)


def test_no_other_component_names_a_type_a_device_or_an_image() -> None:
    names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in CATALOGUE))
    resources = re.compile(r"nvidia\.com/gpu|aws\.amazon\.com/neuron|vpc\.amazonaws\.com/efa|google\.com/tpu|AL2023_")
    for file in (ROOT / "components").rglob("*.py"):
        if "accelerators" not in file.parts:
            text = file.read_text()
            assert not names.search(text), file.name
            assert not resources.search(text), file.name
