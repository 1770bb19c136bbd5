"""A ciphertext opens only in its place (S10): every pair of rows exchanged, older ones put back, promotions forged.

The attacker owns the database, with every trigger off, and has our code. What they lack is outside of it.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from audit.note import Signer
from tests.support.attacker import (
    SECRET_COLUMNS,
    Place,
    owning,
    places,
    read,
    relabel,
    rewrite_log,
    swap,
    write,
)
from tests.support.events import entries
from tests.support.replay import ReplayError, check_replay
from tests.support.world import ORIGIN, World
from vault.crypto import totp
from vault.domain.actor import Role
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.rotation import Outcome
from vault.domain.secret import Secret
from vault.errors import Tampered, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.support.world import Human

ONE, OTHER = "111122223333", "444455556666"
PASSWORDS = {ONE: "First-Horse-7-Battery-Staple", OTHER: "Other-Horse-8-Battery-Staple"}
SEEDS = {ONE: "JBSWY3DPEHPK3PXP" * 4, OTHER: "GEZDGNBVGY3TQOJQ" * 4}
MODES = {
    "body": ("body",),
    "body and hash": ("body", "sha256"),
    "wraps": ("wraps",),
    "both": SECRET_COLUMNS,
}


class Vaulted:
    """Two accounts, one of them with a rotated password, and an operator who tries to open everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alice: Human = world.human("alice", Role.OPERATOR)
        for number in (ONE, OTHER):
            world.held(number, PASSWORDS[number], SEEDS[number])
        self.leases = dict.fromkeys(PASSWORDS, "")
        self.renew(ONE)
        vault, alice = world.vault, self.alice
        rotation = vault.rotations.plan(alice.actor, self.leases[ONE], PartKind.PASSWORD)
        shown = vault.rotations.display(alice.actor, rotation.id).password
        assert shown is not None
        self.values: dict[Place, str] = {
            (ONE, "password", 1): PASSWORDS[ONE],
            (ONE, "password", 2): shown.expose(),
            (ONE, "mfa", 1): SEEDS[ONE],
            (OTHER, "password", 1): PASSWORDS[OTHER],
            (OTHER, "mfa", 1): SEEDS[OTHER],
        }
        vault.attestations.attest(alice.actor, rotation.id, Outcome.ACCEPTED)

    def renew(self, number: str) -> None:
        """Take a fresh lease, so that no quota and no old factor is what refuses."""
        self.world.clock.advance(seconds=60)
        if self.leases[number]:
            self.world.vault.checkouts.check_in(self.alice.actor, self.leases[number])
        self.leases[number] = self.world.lease(self.alice, number, "CRED_ROTATE").id

    def opens(self, place: Place) -> str:
        """Open a version as an operator does: give the password, or the seed whose code came out."""
        account, kind, number = place
        self.renew(account)
        if kind == "password":
            return self.world.vault.reveals.password(
                self.alice.actor, self.leases[account], number
            ).value.expose()
        revealed = self.world.vault.reveals.code(self.alice.actor, self.leases[account], number)
        step = totp.step_of(revealed.valid_until) - 1
        return next(seed for seed in SEEDS.values() if _code(seed, step) == revealed.code.expose())

    def refusals(self) -> int:
        """Count the entries that say that something was not opened."""
        found = entries(self.world, type="secret.reveal.refused") + entries(
            self.world, type="secret.reveal.failed"
        )
        return len([entry for entry in found if entry["detail"].get("code", "").startswith("envelope.")])


def _code(seed: str, step: int) -> str:
    return totp.code_at(totp.parse_seed(Secret(seed)), step).expose()


@pytest.fixture
def vaulted(vault_world: World) -> Vaulted:
    """Fill a vault."""
    return Vaulted(vault_world)


@pytest.mark.parametrize(
    ("database_url", "mode"),
    [*(("sqlite", mode) for mode in MODES), ("postgresql", "both")],
    indirect=["database_url"],
)
def test_no_two_rows_exchanged_open(vaulted: Vaulted, mode: str) -> None:
    with owning(vaulted.world) as owner:
        everything = places(owner)
    assert {place: vaulted.opens(place) for place in everything} == vaulted.values
    refused = released = 0
    for pair in itertools.combinations(everything, 2):
        with owning(vaulted.world) as owner:
            swap(owner, *pair, MODES[mode])
        for place in pair:
            before = vaulted.refusals()
            with pytest.raises(Tampered):
                vaulted.opens(place)
            refused += 1
            assert vaulted.refusals() == before + 1, place
        with owning(vaulted.world) as owner:
            swap(owner, *pair, MODES[mode])
        released += 1
    assert (refused, released) == (20, 10)
    assert {place: vaulted.opens(place) for place in everything} == vaulted.values
    if "sha256" in MODES[mode]:
        # what was found in a row was written down as it was found: the log keeps the evidence
        with pytest.raises(ReplayError, match="names another envelope"):
            check_replay(vaulted.world)
    else:
        check_replay(vaulted.world)


def test_an_exchange_of_hashes_alone_is_seen_before_anything_is_unwrapped(vaulted: Vaulted) -> None:
    with owning(vaulted.world) as owner:
        swap(owner, (ONE, "password", 2), (OTHER, "password", 1), ("sha256",))
    with pytest.raises(Tampered) as caught:
        vaulted.opens((ONE, "password", 2))
    assert caught.value.code == "envelope.not_current"
    assert entries(vaulted.world)[-1]["type"] == "secret.reveal.refused"
    with pytest.raises(ReplayError, match="version"):
        check_replay(vaulted.world)


def test_an_older_version_labelled_current_is_refused(vaulted: Vaulted) -> None:
    with owning(vaulted.world) as owner:
        relabel(owner, (ONE, "password", 2), "previous")
        relabel(owner, (ONE, "password", 1), "current")
    vaulted.renew(ONE)
    with pytest.raises(Tampered) as caught:
        vaulted.world.vault.reveals.password(vaulted.alice.actor, vaulted.leases[ONE], VersionLabel.CURRENT)
    assert caught.value.code == "envelope.not_current"
    with pytest.raises(ReplayError):
        check_replay(vaulted.world)


def test_an_older_value_in_the_place_of_the_newer_does_not_open(vaulted: Vaulted) -> None:
    """The row stays version 2, what is in it is version 1's: refused by the hash, and by the seal itself."""
    with owning(vaulted.world) as owner:
        old = read(owner, (ONE, "password", 1))
        kept = read(owner, (ONE, "password", 2))["sha256"]
        write(owner, (ONE, "password", 2), old)
    with pytest.raises(Tampered):
        vaulted.opens((ONE, "password", 2))
    with owning(vaulted.world) as owner:
        write(owner, (ONE, "password", 2), {"sha256": kept})
    with pytest.raises(Tampered) as caught:
        vaulted.opens((ONE, "password", 2))
    assert caught.value.code.startswith("envelope.")
    assert entries(vaulted.world)[-1]["type"] == "secret.reveal.failed"


def hide(owner: Connection, how: str, seq: int) -> None:
    """Make an entry impossible to find by what it is about."""
    if how == "removed":
        owner.execute(text("DELETE FROM audit_entry WHERE seq = :seq"), {"seq": seq})
        return
    generated = "SELECT count(*) FROM pragma_table_xinfo('audit_entry') WHERE hidden > 1"
    if owner.dialect.name == "sqlite" and owner.execute(text(generated)).scalar_one():
        # SQLite computes its columns itself: the owner exchanges the whole table for one that does not
        owner.exec_driver_sql("CREATE TABLE other AS SELECT * FROM audit_entry")
        owner.exec_driver_sql("DROP TABLE audit_entry")
        owner.exec_driver_sql("ALTER TABLE other RENAME TO audit_entry")
    owner.execute(text(f"UPDATE audit_entry SET {how} = 'x' WHERE seq = :seq"), {"seq": seq})  # noqa: S608 - our own names


def _as_promotion(leaf: bytes, version: int, sha256: str) -> bytes:
    members = json.loads(leaf)
    members["secret"] = {**members["secret"], "version": version, "ciphertext_sha256": sha256}
    return json.dumps(members, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


@pytest.mark.parametrize("signed_by", ["nobody", "another key"])
def test_a_promotion_is_not_forged_without_the_logs_key(vaulted: Vaulted, signed_by: str) -> None:
    """The latest promotion rewritten to name version 1, all hashes recomputed, labels to match."""
    promoted = entries(vaulted.world, type="secret.promoted")[-1]["seq"]
    signer = Signer.generate(ORIGIN) if signed_by == "another key" else None
    with owning(vaulted.world, log=True) as owner:
        old = read(owner, (ONE, "password", 1))["sha256"]
        relabel(owner, (ONE, "password", 2), "previous")
        relabel(owner, (ONE, "password", 1), "current")

        def forge(seq: int, leaf: bytes) -> bytes:
            return _as_promotion(leaf, 1, old) if seq == promoted else leaf

        rewrite_log(owner, forge, signer)
    with pytest.raises(Unavailable) as caught:
        vaulted.world.vault.reveals.password(vaulted.alice.actor, vaulted.leases[ONE], 1)
    assert caught.value.code in {"log.rolled_back", "log.unavailable"}


@pytest.mark.parametrize("how", ["event_type", "account_id", "secret_kind", "removed"])
@pytest.mark.parametrize("looked", [False, True])
def test_the_latest_promotion_out_of_sight_does_not_make_the_one_before_current(
    vaulted: Vaulted, how: str, looked: bool
) -> None:
    """Tree and head stay as they were: only the way to the newest promotion is cut."""
    vaulted.renew(ONE)  # other entries of the account follow, as they do in any lease
    if looked:
        vaulted.opens((ONE, "password", 2))
    promoted = entries(vaulted.world, type="secret.promoted")[-1]["seq"]
    with owning(vaulted.world, log=True) as owner:
        relabel(owner, (ONE, "password", 2), "previous")
        relabel(owner, (ONE, "password", 1), "current")
        hide(owner, how, promoted)
    with pytest.raises(Unavailable) as caught:
        vaulted.world.vault.reveals.password(vaulted.alice.actor, vaulted.leases[ONE], 1)
    assert caught.value.code in {"log.rolled_back", "log.unavailable", "envelope.not_current"}


def test_what_a_process_saw_once_is_not_hidden_from_it_with_all_that_followed(vaulted: Vaulted) -> None:
    """Every entry of the account since its rotation is out of sight: what is left follows on without a gap."""
    vaulted.opens((ONE, "password", 2))
    promoted = entries(vaulted.world, type="secret.promoted")[-1]["seq"]
    with owning(vaulted.world, log=True) as owner:
        relabel(owner, (ONE, "password", 2), "previous")
        relabel(owner, (ONE, "password", 1), "current")
        for entry in entries(vaulted.world, account_id=ONE):
            if entry["seq"] >= promoted:
                hide(owner, "account_id", entry["seq"])
    with pytest.raises(Unavailable) as caught:
        vaulted.world.vault.reveals.password(vaulted.alice.actor, vaulted.leases[ONE], 1)
    assert caught.value.code == "log.rolled_back"


def test_a_promotion_taken_out_with_all_that_followed_is_refused(vaulted: Vaulted) -> None:
    """The whole database put back to before the rotation, entries and head as they truly were then."""
    promoted = entries(vaulted.world, type="secret.promoted")[-1]["seq"]
    with owning(vaulted.world, log=True) as owner:
        relabel(owner, (ONE, "password", 2), "previous")
        relabel(owner, (ONE, "password", 1), "current")
        rewrite_log(owner, lambda seq, leaf: leaf if seq < promoted else None)
    with pytest.raises(Unavailable):
        vaulted.world.vault.reveals.password(vaulted.alice.actor, vaulted.leases[ONE], 1)
    with owning(vaulted.world) as owner:
        assert owner.execute(text("SELECT size FROM audit_head")).scalar_one() == promoted
