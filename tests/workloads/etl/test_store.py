from __future__ import annotations

import pytest
from etl.store import lies_in, open_file


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("/run.json", "/"),
        ("run.json", "."),
        ("rows/run.json", "rows"),
        ("file:///run.json", "/"),
        ("file:///rows/run.json", "/rows"),
        ("s3://bucket/run.json", "s3://bucket"),
        ("s3://bucket/rows/run.json", "s3://bucket/rows"),
    ],
)
def test_a_file_is_in_the_folder_that_its_address_says(uri: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    store, name = open_file(uri)
    assert (store.uri, name) == (place, "run.json")


@pytest.mark.parametrize(
    ("uri", "folder", "inside"),
    [
        ("s3://b/raw/out", "s3://b/raw/", True),
        ("s3://b/raw//", "s3://b/raw", True),
        ("s3://b/x", "s3://b", True),
        ("s3://b/raw-out", "s3://b/raw", False),
        ("s3://c/raw", "s3://b/raw", False),
        ("/b/raw/out", "s3://b/raw", False),
        ("s3://b/raw", "/", False),
        ("file:///b/raw/../raw/out", "/b/raw", True),
        ("/b/raw-out", "/b/raw", False),
    ],
)
def test_an_address_lies_in_another_by_whole_names(uri: str, folder: str, inside: bool) -> None:
    assert lies_in(uri, folder) == inside
