"""What doctor says of the policy: which version is in force, whether the log proves it, whether the file waits."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.services.policies import file_state
from vault.services.policy_book import PolicyBook

if TYPE_CHECKING:
    from vault.settings import Settings


def check_policy(settings: Settings) -> Iterator[Finding]:
    """Look which version is in force, and what the host's file says beside it."""
    units, book = units_for(settings, open_signer(settings)), PolicyBook(SystemClock(), monotonic)
    try:
        book.refresh(units)
    except VaultError as error:
        yield Finding("policy", Level.FAIL, error.detail)
        return
    finally:
        units.engine.dispose()
    if book.fault:
        step = "Somebody changed the rows: keep the database as evidence. The version that the log proves counts."
        yield Finding("policy", Level.FAIL, book.fault, step)
    yield Finding("policy", Level.OK, f"version {book.number} is in force ({book.policy.digest[:12]}…)")
    if not settings.policy_file.is_file():
        words = f"there is no file {settings.policy_file}; the version in force counts all the same"
        yield Finding("policy file", Level.WARN, words, "Put a copy of the version in force there.")
        return
    state = file_state(book.policy, settings.policy_file.read_bytes)
    if state.fault:
        words = f"the file {settings.policy_file} is another, and could not be proposed: {state.fault}"
        yield Finding("policy file", Level.WARN, words, "Mend it; see: rootvault policy check")
    elif state.waits:
        words = f"the file {settings.policy_file} waits: nobody agreed to it ({state.digest[:12]}…)"
        step = "See rootvault policy check; an administrator proposes it, another agrees."
        yield Finding("policy file", Level.WARN, words, step)
    else:
        yield Finding("policy file", Level.OK, "the file is the version in force")
