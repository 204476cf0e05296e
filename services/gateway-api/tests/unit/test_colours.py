"""The colour tokens of the style sheet against WCAG 2.2: 4.5 to 1 for text, 3 to 1 for signs and borders."""

import re
from importlib import resources

import pytest

_TEXT = [
    ("ink", "page"), ("ink", "card"), ("quiet", "page"), ("quiet", "card"), ("link", "page"), ("link", "card"),
    ("urgent", "card"), ("important", "card"), ("information", "card"), ("good", "card"), ("on-brand", "brand"),
    ("on-brand", "brand-light"), ("ink", "good-soft"), ("ink", "bad-soft"), ("ink", "warn-soft"),
    ("ink", "land"), ("ink", "chosen"), ("ink", "cleared"), ("ink", "sea"),
]  # fmt: skip
_SIGNS = [
    ("border", "card"), ("border", "land"), ("chosen-edge", "chosen"), ("focus", "card"), ("focus", "page"),
    ("focus", "land"), ("urgent", "land"), ("important", "land"), ("information", "land"),
    ("urgent", "cleared"), ("important", "cleared"), ("information", "cleared"),
]  # fmt: skip


def _tokens(scheme: str) -> dict[str, str]:
    style = resources.files("gateway_api").joinpath("static", "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root\{(.*?)\}", style, re.S)[:2]
    read = [dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,8})", part)) for part in (light, dark)]
    return read[0] if scheme == "light" else read[0] | read[1]


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(one * 2 for one in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out_from_what_they_lie_on(scheme: str) -> None:
    tokens = _tokens(scheme)
    weak = [
        (one, other, round(contrast(tokens[one], tokens[other]), 2))
        for pairs, least in ((_TEXT, 4.5), (_SIGNS, 3.0))
        for one, other in pairs
        if contrast(tokens[one], tokens[other]) < least
    ]
    assert weak == []
