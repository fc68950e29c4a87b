"""A step is made once for what goes into it, whoever asks and whatever interrupts."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from setup.children import Children, Progress
from setup.run import link_programs, make_all, replace_link
from setup.step import SetupError, Site, Step


class Builder:
    """Counts how often it builds; fails or waits when told to."""

    def __init__(self) -> None:
        self.builds = 0
        self.fails = False
        self.gate: threading.Event | None = None

    def __call__(self, folder: Path, _site: Site, _progress: Progress) -> None:
        self.builds += 1
        (folder / "part").touch(exist_ok=False)
        if self.gate:
            self.gate.wait(10)
        if self.fails:
            raise SetupError("no luck")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "cache", tmp_path, Children())


def progress() -> Progress:
    return Progress("thing", io.StringIO())


def test_a_step_is_built_once(site: Site) -> None:
    build = Builder()
    step = Step("thing", ("a",), (), build)
    assert step.make(site, progress())
    assert not step.make(site, progress())
    assert build.builds == 1


def test_another_ingredient_is_another_folder_and_the_old_one_stays(site: Site) -> None:
    build = Builder()
    for ingredients in (("a", "b"), ("ab", ""), ("a", "c")):
        assert Step("thing", ingredients, (), build).make(site, progress())
    assert build.builds == 3
    assert not Step("thing", ("a", "b"), (), build).make(site, progress())


def test_a_build_that_failed_begins_again_from_an_empty_folder(site: Site) -> None:
    build = Builder()
    build.fails = True
    step = Step("thing", ("a",), (), build)
    with pytest.raises(SetupError):
        step.make(site, progress())
    assert not step.is_done(site.cache)
    build.fails = False
    assert step.make(site, progress())


def test_two_set_ups_at_once_build_it_once_and_the_second_says_that_it_waits(site: Site) -> None:
    build = Builder()
    build.gate = threading.Event()
    step = Step("thing", ("a",), (), build)
    first = threading.Thread(target=step.make, args=(site, progress()))
    first.start()
    while build.builds == 0:
        pass
    said = io.StringIO()
    second = threading.Thread(target=step.make, args=(site, Progress("thing", said)))
    second.start()
    while "waits for another" not in said.getvalue():
        assert second.is_alive()
    build.gate.set()
    first.join(10)
    second.join(10)
    assert build.builds == 1


def test_a_step_is_made_after_what_it_needs(site: Site) -> None:
    order: list[str] = []

    def builder(name: str) -> Step:
        needs = ("first",) if name == "second" else ()
        return Step(name, (), needs, lambda _folder, _site, _progress: order.append(name))

    make_all([builder("first"), builder("second")], site, io.StringIO())
    assert order == ["first", "second"]


def test_when_a_step_fails_what_needs_it_is_not_begun_and_the_reason_is_told(site: Site) -> None:
    failing, needing = Builder(), Builder()
    failing.fails = True
    steps = [Step("first", (), (), failing), Step("second", (), ("first",), needing)]
    with pytest.raises(SetupError, match="no luck"):
        make_all(steps, site, io.StringIO())
    assert needing.builds == 0


def test_a_full_disk_is_told_with_the_step_that_met_it(site: Site) -> None:
    def build(_folder: Path, _site: Site, _progress: Progress) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(SetupError, match=r"`thing` failed.*No space left"):
        make_all([Step("thing", (), (), build)], site, io.StringIO())


def test_the_programs_of_the_newest_set_up_are_the_ones_found(site: Site) -> None:
    for version in ("1", "2"):
        step = Step("etcd", (version,), (), lambda folder, _site, _progress: (folder / "etcd").touch())
        step.make(site, progress())
        link_programs([step], site.cache)
        assert (site.cache / "bin" / "etcd").resolve() == step.folder(site.cache) / "etcd"


def test_a_link_is_replaced_where_it_pointed_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    replace_link(tmp_path / "link", tmp_path)
    assert (tmp_path / "link").resolve() == tmp_path
