from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from etl.clean import Dropped, decode, judge, normalise
from etl.config import CleanConfig
from hypothesis import given
from hypothesis import strategies as st

from .conftest import text_of

RULES = CleanConfig()


@given(st.text())
def test_normalised_text_is_composed_without_controls_and_stays_as_it_is(text: str) -> None:
    once = normalise(text)
    assert unicodedata.is_normalized("NFC", once)
    assert not [c for c in once if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not once.startswith("\n")
    assert "\n\n\n" not in once
    assert normalise(once) == once


def test_what_a_person_reads_survives() -> None:
    assert normalise("\ufeffe\u0301te\u0301 \r\n\tcode\x00  \n\n\n\nend\r\n") == "été\n\tcode\n\nend"


@given(st.text(st.sampled_from("a \t\n\r\x0b\xa0\u2003\u2028")))
def test_blanks_go_from_the_end_of_every_line_and_from_nowhere_else(text: str) -> None:
    lines = re.split(r"\r\n?|[\n\x0b\u2028]", text)
    expected = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")
    assert normalise(text) == expected


def test_a_megabyte_of_blanks_is_read_once() -> None:
    """Tried again from each of them, it would take hours."""
    assert normalise("\t" * 1_000_000 + "x" + " " * 1_000_000) == "\t" * 1_000_000 + "x"


@pytest.mark.parametrize(
    ("data", "jsonl", "reason"),
    [
        (None, False, "too_long"),
        (b"", False, "empty"),
        (b" \n ", True, "empty"),
        (b"caf\xe9", False, "not_utf8"),
        (b"\xff\xfe", True, "not_utf8"),
        (rb'{"text": "\ud800"}', True, "not_utf8"),
        (b"{", True, "not_json"),
        (b"[" * 100_000, True, "not_json"),
        (b"[1]", True, "no_text_field"),
        (b'{"text": 3}', True, "no_text_field"),
    ],
)
def test_what_is_no_text_is_dropped_with_its_reason(data: bytes | None, jsonl: bool, reason: str) -> None:
    with pytest.raises(Dropped, match=f"^{reason}$"):
        decode(data, jsonl, "text")


def test_a_line_of_json_gives_the_named_field() -> None:
    assert decode(json.dumps({"body": "ä\n", "text": "x"}).encode(), True, "body") == "ä\n"


def test_a_mark_of_utf8_costs_no_first_line() -> None:
    assert decode(b'\xef\xbb\xbf{"text": "x"}', True, "text") == "x"
    assert decode(b"\xef\xbb\xbfx", False, "text") == "x"


GOOD = text_of(1)
LINES = GOOD.split("\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  \n", "empty"),
        ("only a few words", "too_few_words"),
        ("word " * 100_001, "too_many_words"),
        (" ".join(f"{n}x" for n in range(9)) + " a b" * 50, "word_length"),
        (GOOD.replace(" ", " # ", 15), "symbols"),
        (" ".join(str(1000 + n) for n in range(60)) + GOOD[:200], "few_letters"),
        (GOOD + "\nlorem ipsum dolor", "placeholder"),
        ("\n".join(f"- {line}" for line in LINES), "bullets"),
        ("\n".join(f"{line}…" if n % 2 else line for n, line in enumerate(LINES)), "ellipses"),
        ("\n".join([*LINES, *LINES[:6]]), "repeated_lines"),
        (" ".join(LINES[0].split()[0:2] * 20) + " " + GOOD, "repeated_ngrams"),
    ],
)
def test_each_rule_drops_what_breaks_it(text: str, reason: str) -> None:
    with pytest.raises(Dropped, match=f"^{reason}$"):
        judge(text, RULES)


def test_good_text_breaks_none_and_rules_can_be_put_off() -> None:
    judge(GOOD, RULES)
    judge("x", RULES.model_copy(update={"enabled": False}))
    with pytest.raises(Dropped, match="empty"):
        judge(" ", RULES.model_copy(update={"enabled": False}))


def test_a_placeholder_is_found_in_whatever_case() -> None:
    with pytest.raises(Dropped, match="placeholder"):
        judge(f"{GOOD} please enable JAVAscript", CleanConfig(placeholders=("Enable JavaScript",)))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [([200] * 5 + ["……"], "too_few_words"), ([200] * 60, "word_length"), ([30] * 60, "word_length")],
)
def test_a_script_without_blanks_is_kept_as_the_manual_says(lines: list[int | str], reason: str) -> None:
    random = np.random.default_rng(1)
    text = "\n".join(line if isinstance(line, str) else chinese(random, line) for line in lines)
    with pytest.raises(Dropped, match=reason):
        judge(text, RULES)
    manual = (Path(__file__).resolve().parents[3] / "docs" / "etl.md").read_text()
    found = re.search(r"(Chinese, Japanese, Thai).*?```json\n(.*?)\n```", manual, re.DOTALL)
    assert found
    judge(text, CleanConfig.model_validate(json.loads(found[2])["clean"]))


def chinese(random: np.random.Generator, count: int) -> str:
    return "".join(chr(0x4E00 + c) for c in random.integers(0, 2000, count))


def test_stop_words_are_asked_for_where_the_language_is_english() -> None:
    english = RULES.model_copy(update={"min_stop_words": 2})
    judge(f"{GOOD} the cat that", english)
    with pytest.raises(Dropped, match="few_stop_words"):
        judge(GOOD, english)
