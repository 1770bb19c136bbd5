"""Generated passwords satisfy AWS and the policy; taken-in ones are told what they lack (C6)."""

from __future__ import annotations

import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto import password
from vault.domain.secret import Secret

GOOD = "Abcdefgh1234!"


def test_generated_passwords_meet_every_rule_and_differ() -> None:
    made = [password.generate().expose() for _ in range(2000)]

    assert len(set(made)) == 2000
    assert {len(text) for text in made} == {40}
    assert {password.weaknesses(Secret(text)) for text in made} == {()}
    assert set("".join(made)) == set(string.ascii_letters + string.digits + "!@#$%^&*()<>[]{}|_+-=")


def test_every_character_is_equally_likely_at_every_place() -> None:
    """Chi squared over 83 characters, 80000 draws; 3.5 standard deviations, or 1 failure in 4000."""
    made = [password.generate().expose() for _ in range(2000)]
    for text in ("".join(made), "".join(one[0] for one in made), "".join(one[-1] for one in made)):
        expected = len(text) / 83
        counts = Counter(text)
        statistic = sum((counts[one] - expected) ** 2 / expected for one in password.ALPHABET)
        assert statistic < 82 + 3.5 * (2 * 82) ** 0.5


def test_a_candidate_without_a_class_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter("a" * 40 + "aA1" + "b" * 37 + "aA1!" + "c" * 36)
    monkeypatch.setattr("vault.crypto.password.secrets.choice", lambda _: next(drawn))

    assert password.generate().expose() == "aA1!" + "c" * 36


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Abc123!", ("8 to 128", "fewer than 12")),
        ("Abcdefg123!", ("fewer than 12",)),
        ("abcdefgh1234!", ("lacks an upper-case letter",)),
        ("ABCDEFGH1234!", ("lacks a lower-case letter",)),
        ("Abcdefghijkl!", ("lacks a digit",)),
        ("Abcdefgh12345", ("lacks a symbol",)),
        ("abcdefghijklm", ("at least 3 of four", "upper-case", "digit", "symbol")),
        (GOOD + "?", ("not a letter, a digit or one of the symbols",)),
        (GOOD + " ", ("not a letter, a digit or one of the symbols",)),
        (GOOD + "ä", ("not a letter, a digit or one of the symbols",)),
        (GOOD * 10, ("8 to 128",)),
        ("", ("8 to 128", "at least 3", "fewer than 12", "upper", "lower", "digit", "symbol")),
        ("\u0661\u0662\u0663Abcdefgh!", ("lacks a digit", "not a letter")),
    ],
)
def test_what_a_root_password_lacks_is_said(text: str, words: tuple[str, ...]) -> None:
    found = password.weaknesses(Secret(text))

    assert len(found) == len(words)
    for sentence, word in zip(found, words, strict=True):
        assert word in sentence


def test_the_accounts_name_and_address_are_no_password() -> None:
    address = "Root+12@msp.example1"

    assert "e-mail" in password.weaknesses(Secret(address), root_email=address.lower())[0]
    assert "e-mail" in password.weaknesses(Secret(GOOD), account_name=GOOD.upper())[0]
    assert password.weaknesses(Secret(GOOD), root_email=address, account_name="acme") == ()


@given(st.text(max_size=200))
def test_weaknesses_never_hold_the_password(text: str) -> None:
    for sentence in (*password.weaknesses(Secret(text)), *password.login_weaknesses(Secret(text))):
        assert len(text) < 12 or text not in sentence


@pytest.mark.parametrize("text", ["correct horse battery", "Ünïcödé wörter gehen", "abcdef ghijkl mn" * 10])
def test_long_login_passwords_need_no_composition(text: str) -> None:
    assert password.login_weaknesses(Secret(text), email="ann@msp.example") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Abc123!Abc123!", "15 to 256"),
        ("aaaaaaaaaaaaaaaaaaaaaa", "different characters"),
        ("abcababcababcabcab", "different characters"),
        ("annabelle is my name", "own name"),
        ("x" * 250 + "abcdefghij", "15 to 256"),
        ("\ufb03\ufb03 ANNABELLE \ufb03\ufb03", "own name"),
    ],
)
def test_login_passwords_that_are_refused(text: str, words: str) -> None:
    found = password.login_weaknesses(Secret(text), email="Annabelle.Lee@msp.example")

    assert [sentence for sentence in found if words in sentence]
