from __future__ import annotations

import pytest
from etl.config import EtlConfig, Failure, parse


def test_what_only_changes_speed_is_no_part_of_the_content() -> None:
    slow, fast = (EtlConfig(sources=("a",), output=f"o{n}", workers=n, batch_bytes=n) for n in (1, 2))
    assert slow.content() == fast.content()
    assert slow.content() != EtlConfig(sources=("a",), output="o", shard_tokens=99).content()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "c.json is not usable: Invalid JSON"),
        ('{"output": "o"}', "sources: Field required"),
        ('{"sources": [], "output": "o"}', "sources: Tuple should have at least 1 item"),
        ('{"sources": ["a"], "output": "o", "shards": 3}', "shards is unknown .known: sources, output"),
        ('{"sources": ["a"], "output": "o", "clean": {"x": 3}}', "clean.x is unknown .known: enabled, min_words"),
        (
            '{"sources": ["a"], "output": "o", "clean": {"placeholders": ["x", ""]}}',
            "clean.placeholders.1: String should have at least 1 character",
        ),
        ('{"sources": ["a"], "output": "o", "vocabulary": 3}', "vocabulary: Input should be greater than or equal"),
        ('{"sources": ["a"], "output": "o", "text_suffixes": ["txt"]}', "suffix 'txt' must begin with a dot"),
        ('{"sources": ["a"], "output": "o", "text_suffixes": [".jsonl"]}', "'.jsonl' cannot be both"),
    ],
)
def test_a_wrong_configuration_is_told_by_its_field(text: str, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        parse(text, "c.json")
