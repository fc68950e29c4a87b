"""Files that are made from the code are what the code makes."""

from __future__ import annotations

import sys

import pytest

from components.accelerators import CATALOGUE
from reference.__main__ import MADE, ROOT, main


@pytest.mark.parametrize("name", MADE)
def test_a_made_file_is_not_stale(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == MADE[name](), f"{name} is stale: run `make docs`"


def test_a_package_that_a_page_needs_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pulumi_gcp", None)
    with pytest.raises(SystemExit, match=r"^error: .*pulumi-gcp.*`pip install --group tpu`"):
        main(["--check"])


def test_the_page_has_every_type_and_says_unknown_where_it_is() -> None:
    page = MADE["docs/catalogue.md"]()
    for name, row in CATALOGUE.items():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        price = line.split(" | ")[-1]
        assert (price == "unknown |") == (row.price is None)
        assert row.price is None or row.price.read_on in price
