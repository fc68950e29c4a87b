"""Characters that look like others, or like nothing: a file that looks right and is refused has to say which it is.

The table holds what keyboards and copied text bring: Cyrillic and Greek letters that are drawn as Latin ones, and the
dashes, quotes and points that word processors make (after Unicode Technical Standard 39, "confusables"). Full-width and
styled letters and digits are found by Unicode's own compatibility decomposition.
"""

from __future__ import annotations

import unicodedata

_LOOKS_LIKE = {
    **dict(zip("аеорсухіјѕһԁԛԝѵкпт", "aeopcyxijshdqwvknt", strict=True)),
    **dict(zip("АВЕІЈКМНОРСТХЅҮ", "ABEIJKMHOPCTXSY", strict=True)),
    **dict(zip("αγινορυ", "ayivopu", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("‘’‚′´", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("∶ː꞉", ":"),
    **dict.fromkeys("⁄∕", "/"),
    "ı": "i",
    "ⅼ": "l",
}


def folded(text: str) -> str:
    """The text in plain letters as it looks: what was probably meant."""
    seen = (char for char in unicodedata.normalize("NFKC", text) if not _is_unseen(char))
    return "".join(_LOOKS_LIKE.get(char) or _digit(char) or char for char in seen).strip()


def unseen(text: str) -> str | None:
    """What the first character is that cannot be seen, in words; ``None`` where all can."""
    for place, char in enumerate(text, start=1):
        if _is_unseen(char):
            return f"character {place} is {_named(char)}, which cannot be seen"
    return None


def deceiving(text: str) -> str | None:
    """What the first character is that cannot be seen or looks like a plain one, in words; ``None`` without one."""
    for place, char in enumerate(text, start=1):
        looks = folded(char)
        if not char.isascii() and looks and looks.isascii():
            return f'character {place}, "{char}", is {_named(char)} and no "{looks}"'
    return unseen(text)


def _digit(char: str) -> str | None:
    """The plain digit of another script's digit."""
    return str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else None


def _is_unseen(char: str) -> bool:
    """Format and control characters, halves of characters, and spaces other than the plain one, by Unicode category."""
    return char not in " \n\t" and unicodedata.category(char) in ("Cf", "Cc", "Cs", "Zs", "Zl", "Zp")


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'a control character')}"
