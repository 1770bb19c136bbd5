"""The colours of `tokens.css`, light and dark: contrast computed as WCAG 2.2 defines it (1.4.3, 1.4.11)."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import ROOT

TOKENS = (ROOT / "vault/web/ui/static/tokens.css").read_text()
TEXT = 4.5
CONTROL = 3.0
TEXTS = [
    *((ink, ground) for ink in ("ink", "ink-soft") for ground in ("paper", "surface", "raised")),
    *(("accent", ground) for ground in ("paper", "surface", "raised", "accent-soft")),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-bad", "bad"),
    ("on-bad", "bad-hover"),
    *((tone, f"{tone}-soft") for tone in ("ok", "warn", "bad", "info")),
    *((tone, "surface") for tone in ("ok", "warn", "bad", "digit", "symbol")),
    *((tone, "raised") for tone in ("digit", "symbol")),
    *(("ink", f"{tone}-soft") for tone in ("ok", "warn", "bad", "info", "accent")),
    *(("ink-soft", f"{tone}-soft") for tone in ("bad", "info", "accent")),
]
CONTROLS = [("line-strong", "surface"), ("line-strong", "paper"), ("accent", "paper"), ("accent", "line")]


def tokens(scheme: str) -> dict[str, str]:
    """Read the colours of one scheme; dark overrides light."""
    light, _, rest = TOKENS.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", rest.partition("/* Bootstrap")[0]))
    return found


def luminance(colour: str) -> float:
    """Compute relative luminance (WCAG 2.2, definition)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert round(contrast("#ffffff", "#000000"), 6) == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXTS, ids=lambda name: name)
def test_text_is_legible(scheme: str, ink: str, ground: str) -> None:
    found = tokens(scheme)
    assert contrast(found[ink], found[ground]) >= TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), CONTROLS, ids=lambda name: name)
def test_edges_of_controls_can_be_seen(scheme: str, line: str, ground: str) -> None:
    found = tokens(scheme)
    assert contrast(found[line], found[ground]) >= CONTROL


def test_dark_changes_every_colour_that_light_has() -> None:
    same = {name for name, colour in tokens("dark").items() if tokens("light")[name] == colour}
    assert same == set()
