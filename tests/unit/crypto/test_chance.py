"""What is drawn is long enough, of the right letters, and never the same."""

from __future__ import annotations

import re

from vault.crypto import chance

DRAWS = 200


def test_a_token_holds_256_bits_and_needs_no_escaping() -> None:
    drawn = {chance.token_text().expose() for _ in range(DRAWS)}
    assert len(drawn) == DRAWS
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", text) for text in drawn)


def test_a_nonce_is_128_bits_of_hex() -> None:
    drawn = {chance.nonce_text() for _ in range(DRAWS)}
    assert len(drawn) == DRAWS
    assert all(re.fullmatch(r"[0-9a-f]{32}", text) for text in drawn)


def test_every_letter_is_drawn_and_no_other() -> None:
    drawn = chance.draw("abc", 3 * DRAWS)
    assert len(drawn) == 3 * DRAWS
    assert set(drawn) == set("abc")
