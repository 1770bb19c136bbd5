"""Checkpoints leave the house: when, to whom, what is kept of the answers, and what goes on when a place is gone."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from audit.checkpoint import Checkpoint
from audit.note import Verifier, open_note
from tests.services.places import BucketKeeper, FileKeeper, WitnessKeeper
from tests.support.places import ARN, SigningKms, cloud, ours, signing_kms, with_outside
from vault.adapters.cosigner import KmsCosigner
from vault.domain.actor import Reach, Role
from vault.domain.event import EventType
from vault.errors import Refused, Unavailable
from vault.ports.anchors import AnchorFailed, Confirmation
from vault.ports.store import EntryFilter, Slice
from vault.services.highwater import checkpoint_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.services.places import Keeper
    from tests.support.world import Human, World
    from vault.ports.anchors import Source

UNANCHORED = 900


@pytest.fixture
def witness(world: World, tmp_path: Path) -> Iterator[WitnessKeeper]:
    """Lend a witness that is up."""
    keeper = WitnessKeeper(world, tmp_path / "witness")
    keeper.up()
    yield keeper
    keeper.down()


@pytest.fixture(params=["witness", "bucket", "file"])
def keeper(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Keeper]:
    """Lend a place of each kind."""
    if request.param == "witness":
        yield request.getfixturevalue("witness")
    elif request.param == "file":
        made = FileKeeper(tmp_path / "disk")
        made.up()
        yield made
    else:
        with cloud() as aws:
            there = BucketKeeper(aws)
            there.up()
            yield there


class Listener:
    """An anchor that confirms everything and remembers what it was asked."""

    def __init__(self, name: str = "witness/listener") -> None:
        self.name = name
        self.confirmed: list[int] = []

    def confirm(self, note: str, position: int, source: Source) -> Confirmation:
        """Confirm."""
        del position, source
        self.confirmed.append(checkpoint_of(note).size)
        return Confirmation("heard")

    def latest(self, near: int) -> Sequence[str]:
        """Keep nothing."""
        del near
        return ()


def told(world: World) -> list[str]:
    """List the entries about places outside, oldest first."""
    with world.vault.units.read() as unit:
        found = unit.log.page(EntryFilter(), Reach(everything=True), Slice(500)).items
    types = [str(entry.content["type"]) for entry in reversed(found)]
    return [each for each in types if each.startswith("outlet.")]


def head(world: World) -> int:
    """Give the log's size."""
    return checkpoint_of(world.vault.trail.checkpoint()).size


def grow(world: World) -> int:
    """Add entries; give the log's size."""
    with world.vault.units.read() as unit:
        number = 700_000_000_000 + unit.accounts.count()
    world.account(str(number))
    return head(world)


def test_a_checkpoint_is_published_when_the_log_grew_and_it_is_time(world: World) -> None:
    listener = Listener()
    place = with_outside(world, listener)
    publishing = place.vault.publishing
    first = publishing.publish()
    assert first is not None
    assert (first.size, first.note) == (head(world), world.vault.trail.checkpoint())
    assert publishing.publish() is None
    size = grow(world)
    world.clock.advance(seconds=4)
    assert publishing.publish() is None
    world.clock.advance(seconds=1)
    second = publishing.publish()
    assert second is not None
    assert second.size == size
    publishing.once()
    publishing.once()
    assert listener.confirmed == [size]
    world.clock.advance(seconds=3599)
    publishing.once()
    assert listener.confirmed == [size]
    world.clock.advance(seconds=1)
    publishing.once()
    assert listener.confirmed == [size, size]  # a heartbeat: nothing new, and still there


def test_what_a_place_answered_is_kept(world: World, keeper: Keeper) -> None:
    place = with_outside(world, keeper.anchor(world))
    grow(world)
    place.vault.publishing.once()
    (name,) = place.vault.publishing.names
    with world.vault.units.read() as unit:
        outlet, latest = unit.outlets.get(name), unit.published.latest()
        assert latest is not None
        (receipt,) = unit.outlets.receipts(latest.size)
    assert outlet is not None
    assert (outlet.position, outlet.confirmed_at) == (head(world), world.clock.now())
    assert receipt.outlet == name
    assert str(latest.size) in receipt.evidence or "witness" in receipt.evidence
    assert next(iter(keeper.anchor(world).latest(0))).startswith(latest.note.rpartition("\n\n")[0])


def test_cosignatures_are_merged_into_the_published_note(world: World, witness: WitnessKeeper) -> None:
    place = with_outside(world, witness.anchor(world))
    place.vault.publishing.once()
    with world.vault.units.read() as unit:
        latest = unit.published.latest()
    assert latest is not None
    opened = open_note(latest.note, [Verifier.parse(world.vault.vkey), witness.cosigner.verifier])
    assert [each.time for each in opened.signatures] == [None, int(world.clock.now().timestamp())]
    world.clock.advance(hours=1)
    place.vault.publishing.once()
    with world.vault.units.read() as unit:
        again = unit.published.get(latest.size)
    assert again is not None
    opened = open_note(again.note, [witness.cosigner.verifier])
    assert [each.time for each in opened.signatures] == [int(world.clock.now().timestamp())]


def test_a_place_that_is_gone_for_an_hour_stops_reveals_and_nothing_else(
    world: World, keeper: Keeper
) -> None:
    place = with_outside(world, keeper.anchor(world))
    olga = world.human("olga", Role.OPERATOR)
    world.held()
    place.vault.publishing.once()
    keeper.down()
    began = world.clock.now()
    shown: list[tuple[int, object]] = []
    refused: list[tuple[int, object]] = []
    for minute in range(60):
        grow(world)
        place.vault.publishing.once()
        world.clock.at = began + timedelta(minutes=minute)
        if minute % 4 == 0:
            refusal = try_reveal(place, olga)
            (shown if refusal is None else refused).append((minute, refusal))
    assert shown == [(minute, None) for minute in (0, 4, 8, 12)]
    assert refused == [(minute, ("log.unanchored", 60)) for minute in range(16, 60, 4)]
    assert told(world) == ["outlet.lost"]
    with world.vault.units.read() as unit:
        denied = unit.log.page(EntryFilter(type=EventType.REVEAL_REFUSED), Reach(everything=True), Slice(500))
    assert len(denied.items) == len(refused)
    keeper.up()
    world.clock.at = began + timedelta(minutes=61)
    place.vault.publishing.once()
    assert try_reveal(place, olga) is None
    assert told(world) == ["outlet.lost", "outlet.back"]


def try_reveal(world: World, who: Human) -> tuple[str, int | None] | None:
    """Check out, ask for the password, check in; give the refusal, None where it was shown."""
    at = world.clock.now()
    lease = world.lease(who, reason="CRED_ROTATE")
    try:
        world.vault.reveals.password(who.actor, lease.id)
    except Unavailable as error:
        return error.code, error.retry_after
    else:
        return None
    finally:
        world.vault.checkouts.check_in(who.actor, lease.id)
        world.clock.at = max(at, world.clock.now())


def test_a_quiet_night_makes_nothing_stale(world: World, witness: WitnessKeeper) -> None:
    place = with_outside(world, witness.anchor(world))
    world.held()
    place.vault.publishing.once()
    world.clock.advance(hours=14)
    lease = place.lease(world.human("olga", Role.OPERATOR))
    assert place.vault.reveals.password(world.people["olga"].actor, lease.id).version == 1


def test_before_the_first_confirmation_the_first_entry_counts(world: World) -> None:
    place = with_outside(world, Listener())
    world.held()
    with world.vault.units.read() as unit:
        opened = place.vault.anchored.since(unit, world.clock.now())
    assert opened is not None
    world.clock.at = opened + timedelta(seconds=UNANCHORED)
    lease = place.lease(world.human("olga", Role.OPERATOR))
    world.clock.at = max(world.clock.at, opened + timedelta(seconds=UNANCHORED + 1))
    with pytest.raises(Unavailable) as refused:
        place.vault.reveals.password(world.people["olga"].actor, lease.id)
    assert refused.value.code == "log.unanchored"
    place.vault.publishing.once()
    assert place.vault.reveals.password(world.people["olga"].actor, lease.id).version == 1


def test_one_place_that_confirms_is_enough_and_mail_is_none(world: World) -> None:
    class Deaf(Listener):
        def confirm(self, note: str, position: int, source: Source) -> Confirmation:
            raise AnchorFailed("no")

    heard, deaf = Listener("witness/heard"), Deaf("bucket/deaf")
    place = with_outside(world, deaf, heard)
    world.held()
    place.vault.publishing.once()
    world.clock.advance(hours=2)
    assert deaf.confirmed == []
    with world.vault.units.read() as unit:
        assert place.vault.anchored.stopped_since(unit, world.clock.now()) is None
        alone = replace(place.vault.anchored, names=("mail/00000000",))
        assert alone.stopped_since(unit, world.clock.now()) is not None
        never = replace(place.vault.anchored, names=("bucket/deaf",), allowed=timedelta(0))
        assert never.stopped_since(unit, world.clock.now()) is None


def test_two_workers_at_once_do_no_harm(world: World, keeper: Keeper) -> None:
    workers = [with_outside(world, keeper.anchor(world)).vault.publishing for _ in range(4)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(5):
                workers[number].once()
        except BaseException as failure:  # noqa: BLE001 - told below
            failures.append(failure)

    for _ in range(3):
        size = grow(world)
        world.clock.advance(seconds=5)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(workers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        (name,) = workers[0].names
        with world.vault.units.read() as unit:
            outlet = unit.outlets.get(name)
        assert outlet is not None
        assert (outlet.position, outlet.tries, outlet.error) == (size, 0, None)
    assert told(world) == []


def test_killed_between_delivery_and_record_it_is_delivered_again(world: World, keeper: Keeper) -> None:
    class Killed(BaseException):
        """The process ends here."""

    place = with_outside(world, keeper.anchor(world))
    publishing = place.vault.publishing
    (anchor,) = publishing.anchors
    publishing.publish()
    real = publishing.outlets.confirm

    class Dying:
        name = anchor.name

        def confirm(self, note: str, position: int, source: Source) -> Confirmation:
            anchor.confirm(note, position, source)
            raise Killed

        def latest(self, near: int) -> Sequence[str]:
            return anchor.latest(near)

    with pytest.raises(Killed):
        publishing.deliver(Dying())
    assert publishing.deliver(anchor) is None  # the turn is still taken
    world.clock.advance(minutes=1)
    outlet = publishing.deliver(anchor)
    assert outlet is not None
    assert (outlet.position, outlet.error) == (head(world), None)
    assert real is not None


def test_kms_signs_what_is_published_and_its_absence_holds_nothing_up(world: World) -> None:
    kms = SigningKms()
    with signing_kms(kms) as endpoint:
        cosigner = KmsCosigner(world.vault.origin, ARN, endpoint)
        place = with_outside(world, cosigner=cosigner)
        first = place.vault.publishing.publish()
        assert first is not None
        opened = open_note(first.note, [*ours(world).verifiers, cosigner.verifier()])
        assert [each.name for each in opened.signatures] == [world.vault.origin, f"{world.vault.origin}/kms"]
        assert [each["operation"] for each in kms.asked] == ["GetPublicKey", "Sign"]
        kms.fault = "KMSInternalException"
        grow(world)
        world.clock.advance(seconds=5)
        second = place.vault.publishing.publish()
        assert second is not None
        assert second.note == world.vault.trail.checkpoint()
        with world.vault.units.read() as unit:
            signer = unit.outlets.get(cosigner.name)
        assert signer is not None
        assert signer.error == "KMS Sign: KMSInternalException"


def test_a_signature_that_is_not_the_keys_goes_nowhere(world: World) -> None:
    kms, other = SigningKms(), SigningKms()
    with signing_kms(kms) as endpoint:
        cosigner = KmsCosigner(world.vault.origin, ARN, endpoint)
        assert cosigner.verifier().name == f"{world.vault.origin}/kms"
        kms.key = other.key
        with pytest.raises(AnchorFailed, match="not its key's"):
            cosigner.sign(Checkpoint(world.vault.origin, 1, bytes(32)).format())
    with pytest.raises(Refused, match="ARN"):
        KmsCosigner("o", "alias/log")


def test_a_disclosure_asks_one_statement_more_where_a_place_outside_is_waited_for(world: World) -> None:
    engine: Engine = world.vault.units.engine  # type: ignore[attr-defined]  # the store behind the port
    counts = []
    for place in (world, with_outside(world, Listener())):
        place.vault.publishing.once()
        if place is world:
            world.held()
        olga = world.human("olga", Role.OPERATOR)
        lease = place.lease(olga, reason="CRED_ROTATE")
        place.vault.reveals.password(olga.actor, lease.id)
        seen: list[str] = []

        def note(*call: object, seen: list[str] = seen) -> None:
            seen.append(str(call[2]))

        event.listen(engine, "before_cursor_execute", note)
        place.vault.reveals.password(olga.actor, lease.id)
        event.remove(engine, "before_cursor_execute", note)
        place.vault.checkouts.check_in(olga.actor, lease.id)
        counts.append(len(seen))
    assert counts[1] == counts[0] + 1
