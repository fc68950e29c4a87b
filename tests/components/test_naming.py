"""Names fit, stay the same, and stay apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.naming import fit, folder_digest, managed_policy_arn

PART = st.from_regex(r"[a-z][a-z0-9-]{0,40}", fullmatch=True)


@settings(max_examples=30)
@given(st.lists(PART, min_size=1, max_size=5), st.integers(20, 64))
def test_a_name_fits_and_is_always_the_same(parts: list[str], limit: int) -> None:
    name = fit(*parts, limit=limit)
    assert len(name) <= limit
    assert name == fit(*parts, limit=limit)


@given(st.text("ab", min_size=65, max_size=90), st.text("ab", min_size=65, max_size=90))
def test_shortened_names_stay_apart(one: str, other: str) -> None:
    assert (fit(one, limit=64) == fit(other, limit=64)) == (one == other)


def test_a_folder_s_digest_is_that_of_its_sources_only(tmp_path: Path) -> None:
    only = ("a.py", "b.py", "__pycache__", ".hidden")
    (tmp_path / "a.py").write_text("x = 1")
    before = folder_digest(tmp_path, only)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.cpython-311.pyc").write_text("cached")
    (tmp_path / ".hidden").write_text("left by a tool")
    assert folder_digest(tmp_path, only) == before
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert folder_digest(tmp_path, only) != before


def test_what_stands_beside_a_folder_s_sources_does_not_change_its_digest(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.py").write_text("x = 1")
    before = folder_digest(tmp_path, ("in",))
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "in").write_text("of the same name")
    (tmp_path / "inner.py").write_text("of a name that begins so")
    assert folder_digest(tmp_path, ("in",)) == before


@pytest.mark.parametrize(
    ("region", "begins"),
    [("us-east-1", "arn:aws:"), ("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:")],
)
def test_an_arn_begins_with_its_region_s_partition(region: str, begins: str) -> None:
    assert managed_policy_arn("AmazonEKS_CNI_Policy", region) == f"{begins}iam::aws:policy/AmazonEKS_CNI_Policy"
