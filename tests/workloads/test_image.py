"""The image holds the files that these tests run, and the versions that they ran with."""

from __future__ import annotations

from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from components import registry
from setup import images

from .pins import FILE, NEEDED, PROJECT, expected, pins

CHIPS = PROJECT / "workloads" / "chips"
DOCKERFILE = (PROJECT / "workloads" / "Dockerfile").read_text()


def test_every_pin_of_the_image_is_the_projects_with_its_hashes() -> None:
    project, image = (pins(path.read_text()) for path in (PROJECT / "requirements.txt", FILE))
    assert set(NEEDED) <= set(image)
    for name, pin in image.items():
        assert pin == project[name]
        assert all("--hash=sha256:" in one for one in pin)


def test_the_image_has_all_that_the_job_needs_and_nothing_else() -> None:
    assert FILE.read_text() == expected(), "write the file anew: python -m tests.workloads.pins"


def test_the_pins_name_no_index() -> None:
    assert "://" not in FILE.read_text()
    assert "index-url" not in FILE.read_text()


def test_the_image_is_built_from_the_tested_files_on_a_base_of_choice() -> None:
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    assert lines[0].startswith("ARG BASE=")
    assert "FROM ${BASE}" in lines
    assert "COPY train /opt/workloads/train" in lines
    assert "COPY etl /opt/workloads/etl" in lines
    assert "--require-hashes" in DOCKERFILE
    ignored = (PROJECT / "workloads" / ".dockerignore").read_text().splitlines()
    assert ignored == ["*", "!requirements.txt", "!chips", "!train", "!etl", "**/__pycache__"]


@pytest.mark.parametrize(
    ("chips", "extra", "plugin"), [("cuda", "cuda12", "jax-cuda12-plugin"), ("tpu", "tpu", "libtpu")]
)
def test_the_plugin_of_chips_is_the_one_that_this_jax_asks_for(chips: str, extra: str, plugin: str) -> None:
    version = pins((CHIPS / f"{chips}.txt").read_text())[plugin][0].split("==")[1].split()[0]
    wanted = [one for one in map(Requirement, requires("jax") or []) if one.name == plugin]
    [asked] = [one for one in wanted if one.marker and one.marker.evaluate({"extra": extra})]
    assert version in asked.specifier


@pytest.mark.parametrize("chips", ["cpu", "cuda", "tpu"])
def test_what_chips_need_is_pinned_with_hashes_beside_what_all_need_and_names_no_index(chips: str) -> None:
    text = (CHIPS / f"{chips}.txt").read_text()
    found = pins(text)
    assert not set(found) & set(pins(FILE.read_text()))
    assert all("--hash=sha256:" in one for pin in found.values() for one in pin)
    assert "://" not in text
    assert "index-url" not in text


def test_the_image_s_tag_is_of_the_files_that_it_is_made_of() -> None:
    copied = {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")}
    assert set(registry.IMAGE_SOURCES) == set(images.IMAGE_SOURCES) == {"Dockerfile", *copied}


@pytest.mark.parametrize(("package", "other"), [("train", "etl"), ("etl", "train")])
def test_a_package_imports_nothing_of_the_project_around_it(package: str, other: str) -> None:
    for path in sorted((PROJECT / "workloads" / package).glob("*.py")):
        for room in ("components", "local", "operations", "setup", other):
            assert f"from {room}" not in path.read_text()
            assert f"import {room}" not in path.read_text()
