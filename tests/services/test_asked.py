"""What is asked of the log: no search finds itself, a slip looks like a slip, and readings can be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit.errors import RolledBack
from tests.services.test_exports import ACCOUNT, OTHER, auditor, grow, take
from tests.support.events import entries
from vault.adapters.db.errors import rolled_back
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import EventType
from vault.errors import Invalid, NotFound
from vault.ports.store import EntryFilter, Slice
from vault.services.exports import Format, Wish
from vault.services.samples import Drawing

if TYPE_CHECKING:
    from tests.support.world import World

PASSWORD = "Correct-Horse-7-Battery"
READINGS = (EventType.AUDIT_VIEWED, EventType.AUDIT_EXPORTED)


def test_a_search_for_nothing_is_empty_and_still_an_entry(world: World) -> None:
    alma = auditor(world)
    found = world.vault.trail.page(alma, EntryFilter(text="zzzznothing"), Slice())
    assert (found.items, found.next) == ((), None)
    assert entries(world)[-1]["detail"] == {"text": "zzzznothing"}


@pytest.mark.parametrize(
    ("wanted", "place", "words"),
    [
        (EntryFilter(type="nonsense"), "/type", "Known are: access.denied"),
        (EntryFilter(types=("checkout.requested", "chekout.granted")), "/type", "mean checkout.granted"),
        (EntryFilter(not_types=("audit.viewd",)), "/without", "mean audit.viewed"),
        (EntryFilter(outcome="fine"), "/outcome", "success, denied, failed, unknown"),
        (EntryFilter(account_id="1"), "/account_id", "12 digits"),
    ],
)
def test_what_no_entry_can_fit_is_refused_in_words(
    world: World, wanted: EntryFilter, place: str, words: str
) -> None:
    alma = auditor(world)
    vault = world.vault
    for ask in (
        lambda: vault.trail.page(alma, wanted, Slice()),
        lambda: vault.exports.begin(alma, Wish(Format.CSV, wanted)),
        lambda: vault.samples.draw(alma, Drawing(wanted)),
    ):
        with pytest.raises(Invalid) as refused:
            ask()
        (error,) = refused.value.errors
        assert error.pointer == place
        assert words in error.detail


def test_an_account_that_is_not_there_is_told_alike_in_scope_or_not(world: World) -> None:
    world.held(ACCOUNT, PASSWORD)
    grow(world, 1, "777788889999")
    alma = auditor(world)
    part = world.human("part", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER)).actor
    for actor, number in ((alma, "999999999999"), (part, "999999999999"), (part, ACCOUNT)):
        with pytest.raises(NotFound) as absent:
            world.vault.trail.page(actor, EntryFilter(account_id=number), Slice())
        assert absent.value.detail.replace(number, "N").startswith("There is no account N, or it is not in")
    for known in (ACCOUNT, "777788889999"):
        assert world.vault.trail.page(alma, EntryFilter(account_id=known), Slice()).items


def test_readings_are_left_out_where_that_is_asked_for(world: World) -> None:
    alma = auditor(world)
    other = len(entries(world))
    grow(world, 40)
    for actor_id in (None, alma.id):
        wanted = EntryFilter(not_types=READINGS, actor_id=actor_id)
        found = world.vault.trail.page(alma, wanted, Slice(200))
        mine = [each for each in entries(world)[:other] if actor_id in (None, each["actor"]["id"])]
        assert [each.index for each in found.items] == [
            each["seq"] for each in reversed(mine) if each["type"] not in READINGS
        ]
        assert entries(world)[-1]["detail"]["without"] == "audit.viewed,audit.exported"
    lines = take(world, Wish(Format.JSONL, EntryFilter(not_types=READINGS)))[1]
    assert b"audit.viewed" not in lines


@pytest.mark.parametrize("format_", [Format.JSONL, Format.CSV, Format.OCSF, Format.CEF])
@pytest.mark.parametrize(
    "wanted", [EntryFilter(), EntryFilter(account_id=ACCOUNT), EntryFilter(type=EventType.AUDIT_VIEWED)]
)
def test_a_copy_that_went_on_is_byte_for_byte_the_uncut_one(
    world: World, format_: Format, wanted: EntryFilter
) -> None:
    world.held(ACCOUNT, PASSWORD)
    grow(world, 20)
    grow(world, 20, ACCOUNT)
    copy, whole = take(world, Wish(format_, wanted))
    rows = whole.splitlines(keepends=True)
    head = 1 if format_ is Format.CSV else 0
    chosen = [index for index, each in enumerate(entries(world)[: copy.size]) if _is_meant(each, wanted)]
    assert len(rows) == head + len(chosen) + 1
    for count in (1, 7, len(chosen) - 1, len(chosen)):
        wish = Wish(format_, wanted, after=chosen[count - 1], checkpoint=copy.checkpoint)
        assert b"".join(rows[: head + count]) + take(world, wish)[1] == whole, count


def _is_meant(entry: dict[str, Any], wanted: EntryFilter) -> bool:
    return (wanted.account_id in (None, entry.get("account", {}).get("id"))) and (
        wanted.type in (None, entry["type"])
    )


def test_a_byte_beyond_a_bundles_end_is_refused_and_its_end_is_not(world: World) -> None:
    copy, whole = take(world, Wish(Format.BUNDLE))
    assert take(world, Wish(Format.BUNDLE, offset=len(whole), checkpoint=copy.checkpoint))[1] == b""
    with pytest.raises(Invalid) as refused:
        take(world, Wish(Format.BUNDLE, offset=len(whole) + 1, checkpoint=copy.checkpoint))
    assert [each.pointer for each in refused.value.errors] == ["/offset"]
    assert str(len(whole)) in refused.value.detail


def test_a_samples_customer_is_named_by_a_ddi_as_well(world: World) -> None:
    world.held(ACCOUNT, PASSWORD)
    alma = auditor(world)
    with world.vault.units.read() as unit:
        account = unit.accounts.get(ACCOUNT)
        assert account is not None
        customer = unit.customers.get(account.customer_id)
    assert customer is not None
    sample = world.vault.samples.draw(alma, Drawing(EntryFilter(), customer_id=customer.ddi))
    assert sample.told["filter"]["accounts"] == [ACCOUNT]
    assert entries(world)[-1]["detail"]["customer"] == customer.id
    with pytest.raises(NotFound, match="There is no customer 4711"):
        world.vault.samples.draw(alma, Drawing(EntryFilter(), customer_id="4711"))


@pytest.mark.parametrize("words", ["it went back. Nothing may be disclosed.", "it went back"])
def test_a_log_that_went_back_is_told_of_in_whole_sentences(words: str) -> None:

    told = rolled_back(RolledBack("log.rolled_back", words)).detail
    assert ".." not in told
    assert told.count("disclosed") == 1
