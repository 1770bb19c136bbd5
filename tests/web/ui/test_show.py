"""How values are written: nothing that somebody typed can run, hide, or turn around what stands beside it (S27)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.web.ui import show

RIGHT_TO_LEFT_OVERRIDE = "\u202e"
BOLD = "<b>"


class Texts(HTMLParser):
    """Collects what a browser would show, and the elements that it would make."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(markup: str) -> Texts:
    texts = Texts()
    texts.feed(str(markup))  # a plain str: Markup would escape what the parser gives back
    texts.close()
    return texts


def test_an_account_number_is_grouped_by_style_and_copies_without_blanks() -> None:
    shown = parsed(show.number("123456789012"))
    assert shown.text == "123456789012"
    assert shown.elements == ["span", "span", "span", "span"]
    assert show.spoken("123456789012") == "1234 5678 9012"


def test_a_direction_override_is_shown_and_not_obeyed() -> None:
    shown = show.text(f"T-1{RIGHT_TO_LEFT_OVERRIDE}0001")
    assert RIGHT_TO_LEFT_OVERRIDE not in shown
    assert parsed(shown).text == "T-1U+202E0001"
    assert shown.startswith("<bdi>")


def test_a_plain_text_hides_nothing_either() -> None:
    assert show.plain(f"a{RIGHT_TO_LEFT_OVERRIDE}\x1bb") == "a[U+202E][U+001B]b"


def test_markup_is_text() -> None:
    shown = parsed(show.text(f"{BOLD}alert(1)</b>"))
    assert shown.text == f"{BOLD}alert(1)</b>"
    assert shown.elements == ["bdi"]


@given(st.text())
def test_no_text_makes_elements_of_its_own(typed: str) -> None:
    shown = parsed(show.text(typed))
    assert set(shown.elements) <= {"bdi", "span"}
    assert not any(
        character in shown.text for character in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b"
    )


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128))
def test_a_grouped_password_is_still_exactly_the_password(password: str) -> None:
    assert parsed(show.groups(password)).text == password


@given(st.integers(0, 999_999))
def test_a_code_in_halves_is_still_exactly_the_code(number: int) -> None:
    assert parsed(show.halves(f"{number:06}")).text == f"{number:06}"


def test_look_alikes_are_named_only_where_they_occur() -> None:
    assert show.look_alikes("a0lb") == (("0", "zero"), ("l", "small L"))
    assert show.look_alikes("abc") == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (3600, "1 h"), (5400, "1 h 30 min"), (90_061, "1 d 1 h 1 min 1 s")],
)
def test_a_length_of_time_is_said_in_the_units_people_say(seconds: int, words: str) -> None:
    assert show.duration(seconds) == words


def test_what_is_left_is_written_as_the_countdown_writes_it() -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert show.left(now + timedelta(seconds=61), now) == "1:01"
    assert show.left(now + timedelta(hours=1, seconds=5), now) == "1:00:05"
    assert show.left(now - timedelta(seconds=5), now) == "0:00"


def test_a_time_always_says_its_zone() -> None:
    time = datetime(2026, 11, 3, 9, 5, 7, tzinfo=UTC)
    assert parsed(show.when(time)).text == "3 Nov 2026, 09:05 UTC"
    assert parsed(show.moment("2026-11-03T09:05:07.000000Z")).text == "3 Nov 2026, 09:05 UTC"
    assert parsed(show.clock(time)).text == "09:05:07 UTC"
    assert parsed(show.when(None)).text == "never"
    assert 'datetime="2026-11-03T09:05:07.000Z"' in show.when(time)


def test_what_exactly_is_agreed_to_is_written_for_people() -> None:
    content = '{"from":[],"keys":["one","two"],"remove_old":true,"scope":"live"}'
    assert show.members(content) == (
        ("from", "none"),
        ("keys", "one, two"),
        ("remove old", "yes"),
        ("scope", "live"),
    )
    assert show.members("[]") == show.members("no JSON") == ()
