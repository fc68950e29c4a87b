"""An image is another one exactly when what goes into it is another."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from pathlib import Path

import pytest

from setup import images
from setup.children import Children, CommandFailed, Progress
from setup.step import MARKER, Site, held_if_free, lock_of

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for part in (images.OVERLAY, Path("workloads"), Path("local/tools")):
        shutil.copytree(CHECKOUT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def folders(checkout: Path) -> tuple[str, str]:
    steps = images.machine_image(checkout), images.workload_store(checkout)
    machine, store = (step.folder(Path("/cache")).name for step in steps)
    return machine, store


def test_the_same_sources_elsewhere_are_the_same_images(checkout: Path) -> None:
    assert folders(checkout) == folders(CHECKOUT)


def test_another_workload_is_another_store_on_the_same_machines(checkout: Path) -> None:
    machine, store = folders(checkout)
    with (checkout / "workloads" / "train" / "main" / "smoke_test.py").open("r+") as file:
        file.write("# changed\n")
    assert folders(checkout)[0] == machine
    assert folders(checkout)[1] != store


def test_what_stands_beside_the_workload_is_not_in_its_image(checkout: Path) -> None:
    before = folders(checkout)
    (checkout / "workloads" / "beside").mkdir()
    (checkout / "workloads" / "beside" / "main.py").write_text("print()\n")
    assert folders(checkout) == before


def test_another_file_of_the_machine_is_another_machine(checkout: Path) -> None:
    machine, store = folders(checkout)
    with (checkout / images.OVERLAY / "etc/containerd/config.toml").open("a") as file:
        file.write("# changed\n")
    assert folders(checkout)[0] != machine
    assert folders(checkout)[1] == store


def test_what_python_leaves_behind_changes_nothing(checkout: Path) -> None:
    before = folders(checkout)
    cache = checkout / "workloads" / "train" / "__pycache__"
    cache.mkdir()
    (cache / "main.cpython-311.pyc").write_bytes(b"\xff\x00")
    assert folders(checkout) == before


def test_no_key_and_no_address_of_anyones_is_in_the_machines_files() -> None:
    for path in (CHECKOUT / images.OVERLAY).rglob("*"):
        if path.is_file():
            assert "PRIVATE KEY" not in path.read_text()
            assert "://" not in path.read_text().replace("unix://", "")


def test_the_way_to_the_package_index_goes_into_the_build_and_paths_of_the_host_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    text = images._pip_configuration()
    assert "index-url = https://mirror.example/simple" in text
    assert "/opt/wheels" not in text


@pytest.mark.parametrize("fails", [False, True])
def test_a_password_of_the_package_index_is_for_the_build_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    seen: list[tuple[str, int]] = []

    def run(argv: list[object], *_: object, **__: object) -> str:
        for path in tmp_path.rglob("pip.conf"):
            seen.append((path.read_text(), path.stat().st_mode & 0o777))
            if fails:
                raise CommandFailed("no luck")
        return ""

    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@mirror.example/simple")
    (tmp_path / "python.tar.zst").touch()
    site = Site(tmp_path, tmp_path, Children())
    monkeypatch.setattr(site.children, "run", run)
    with contextlib.suppress(CommandFailed):
        images._build_images(tmp_path, tmp_path, tmp_path, tmp_path, site, Progress("store", io.StringIO()))
    assert [("secret" in text, mode) for text, mode in seen] == [(True, 0o600)]
    assert not any("secret" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_a_host_that_could_not_boot_the_image_says_why_until_it_can(checkout: Path, tmp_path: Path) -> None:
    folder = images.machine_image(checkout).folder(tmp_path)
    assert images.refusal(checkout, tmp_path) is None
    folder.mkdir()
    (folder / images.REFUSED).write_text("no")
    assert images.refusal(checkout, tmp_path) == "no"


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    """Four whole ones, the oldest first."""
    made = [tmp_path / f"store-{letter}" for letter in "abcd"]
    for age, store in enumerate(made):
        store.mkdir()
        (store / MARKER).touch()
        os.utime(store, (age, age))
    return made


def left(stores: list[Path]) -> str:
    return "".join(store.name[-1] for store in stores if store.exists())


def test_of_old_stores_the_last_one_is_kept(stores: list[Path]) -> None:
    assert images._forget_old(stores[3]) == stores[:2]
    assert left(stores) == "cd"


def test_an_old_store_that_somebody_holds_stays(stores: list[Path]) -> None:
    with held_if_free(lock_of(stores[0])) as held:
        assert held
        assert images._forget_old(stores[3]) == [stores[1]]
    assert left(stores) == "acd"


def test_a_store_that_another_checkout_is_making_is_not_taken_for_an_old_one(stores: list[Path]) -> None:
    (stores[0] / MARKER).unlink()
    assert images._forget_old(stores[3]) == [stores[1]]
    assert left(stores) == "acd"


def test_an_image_is_called_after_its_folder() -> None:
    assert images.image_name(Path("/cache/machine-0123")) == "localhost/aidc-machine:0123"
