"""Argon2 keeps the contract of `Passwords`: slow, salted, few at once, and as slow for nobody (S22)."""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters

from vault.adapters.passwords import AT_ONCE, Argon2
from vault.domain.secret import Secret
from vault.errors import Limited
from vault.ports.passwords import Passwords

GOOD, BAD = Secret("Correct-Horse-7-Battery"), Secret("Correct-Horse-7-Batterz")


@pytest.fixture(scope="module")
def passwords() -> Argon2:
    return Argon2()


def test_it_is_the_port(passwords: Passwords) -> None:
    stored = passwords.hash(GOOD)
    assert passwords.matches(stored, GOOD)
    assert not passwords.matches(stored, BAD)
    assert stored != passwords.hash(GOOD)
    assert GOOD.expose() not in stored


def test_parameters_are_owasps_or_above(passwords: Argon2) -> None:
    used = extract_parameters(passwords.hash(GOOD))
    assert (used.type.name, used.salt_len, used.hash_len) == ("ID", 16, 32)
    assert used.memory_cost >= 19 * 1024
    assert used.time_cost >= 2


@pytest.mark.parametrize("stored", ["", "junk", "$argon2id$v=19$m=65536,t=3,p=1$AAAA", "plain text"])
def test_what_is_no_hash_matches_nothing(passwords: Argon2, stored: str) -> None:
    assert not passwords.matches(stored, GOOD)


def test_nobody_takes_as_long_as_somebody(passwords: Argon2) -> None:
    stored = passwords.hash(GOOD)

    def seconds(of: str | None) -> float:
        began = time.process_time()
        assert not passwords.matches(of, BAD)
        return time.process_time() - began

    somebody = statistics.median(seconds(stored) for _ in range(5))
    nobody = statistics.median(seconds(None) for _ in range(5))
    assert 0.5 < nobody / somebody < 2


def test_even_the_password_of_nobody_does_not_match_nobody(passwords: Argon2) -> None:
    assert not passwords.matches(None, Secret("the password of nobody"))


def test_no_more_than_four_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()
    real = PasswordHasher.hash

    def counted(self: PasswordHasher, *arguments: str) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return real(self, *arguments)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(PasswordHasher, "hash", counted)
    passwords = Argon2()
    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(passwords.hash, [GOOD] * 12))) == 12
    assert 1 < most <= AT_ONCE


def test_who_would_wait_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.adapters.passwords.WAIT_SECONDS", 0)
    passwords = Argon2(at_once=1)
    with passwords._turn(), pytest.raises(Limited) as refused:
        passwords.hash(GOOD)
    assert refused.value.code == "limit.requests"
    assert passwords.hash(GOOD)
