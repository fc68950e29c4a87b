"""What the system refuses is a sentence: the name that was typed, why it is refused, and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lessons.errors import LessonError
from lessons.fundamentals.digits import mnist
from lessons.transfer.files import read_weights
from lessons.transfer.images import find

READERS = {"digits": mnist, "images": find, "weights": lambda path: read_weights(path.with_suffix(".pth"))}


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that one may not enter: the superuser may enter all, so it is nobody's turn."""
    user = os.geteuid()
    (tmp_path / "data").mkdir(mode=0)
    if user == 0:
        os.seteuid(65534)
    yield tmp_path / "data" / "of-others"
    os.seteuid(user)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_folder_that_one_may_not_enter_is_named_with_what_to_do(closed: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(LessonError, match=f"^{closed}.*: cannot be read: Permission denied; correct .* the rights"):
        read(closed)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_name_that_no_system_takes_is_refused_as_such(read: Callable[[Path], object]) -> None:
    with pytest.raises(LessonError, match=r"^x{300}.*: cannot be read: File name too long; correct the name"):
        read(Path("x" * 300))
