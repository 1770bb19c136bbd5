"""Records that somebody made to do harm: each is judged, an incident says so, and the pass goes on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.thorough import times
from tests.support.world import START
from vault.domain.actor import Reach, Role
from vault.domain.credential import Due
from vault.domain.event import stamp
from vault.domain.incident import Incident, IncidentKind
from vault.errors import Invalid
from vault.ports.cloud import IncidentFilter, Known, Part
from vault.ports.store import EntryFilter, Slice
from vault.services.judging import Judge
from vault.services.reconciliation import Counts, Reconciliation

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.world import World

KEY = "arn:aws:kms:eu-central-1:310000000021:key/11111111-2222-3333-4444-555555555555"
ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
EVERYTHING = Reach(everything=True)


@dataclass
class Told:
    """A source that delivers whatever it is given."""

    records: list[dict[str, Any]] = field(default_factory=list)
    name: str = "told"

    def parts(self, position: str, known: Known, now: datetime) -> Iterator[Part | str]:
        yield Part(str(uuid4()), "1", lambda: iter(self.records))


def reconciliation(world: World, records: list[dict[str, Any]]) -> Reconciliation:
    """Give the use case with these records to read."""
    made = world.vault.reconciliation
    return replace(made, sources=(Told(records),), keys=frozenset({KEY}), wait=timedelta(hours=2))


def run(world: World, *records: dict[str, Any]) -> Counts:
    """Do one pass."""
    return reconciliation(world, list(records)).once()


def denied(world: World, **asked: Any) -> dict[str, Any]:
    """Give the record of a Decrypt that was refused to a stranger, with our context but for `asked`."""
    with world.vault.units.read() as unit:
        own = {"app": "root-vault", "vault": unit.vault_id}
    place = {"account": "111122223333", "kind": "password", "version": "1"}
    return {
        "eventID": str(uuid4()),
        "eventName": "Decrypt",
        "eventSource": "kms.amazonaws.com",
        "awsRegion": "us-east-1",
        "eventTime": stamp(START - timedelta(hours=2))[:19] + "Z",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::999999999999:user/mallory"},
        "recipientAccountId": "310000000021",
        "errorCode": "AccessDenied",
        "requestParameters": {"encryptionContext": own | place | asked, "keyId": "arn:aws:kms:x:9:key/m"},
    }


def incidents(world: World) -> tuple[Incident, ...]:
    """List all."""
    with world.vault.units.read() as unit:
        return unit.incidents.page(EVERYTHING, IncidentFilter(), Slice(100)).items


def check_judged(world: World, *records: dict[str, Any]) -> None:
    """See that each record which was kept is judged, and that all that was written about it is plain."""
    with world.vault.units.read() as unit:
        assert unit.cloud.unjudged(None, 100) == ()
        entries = unit.log.page(EntryFilter(type="incident.opened"), EVERYTHING, Slice(100)).items
        for record in records:
            seen = unit.cloud.get(record["eventID"])
            assert seen is not None
            assert str(seen.matched).startswith("incident:")
    told = [each.summary + each.evidence.replace("\n", "") for each in incidents(world)]
    told += [str(entry.content["detail"]) for entry in entries]
    assert [words for words in told if ACTING & {unicodedata.category(each) for each in words}] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"version": "\u00b2"},
        {"version": "\u0661"},
        {"version": "9" * 200},
        {"version": "0"},
        {"version": "\0"},
        {"version": "\ud800"},
        {"version": "\x1b[31m\u202eevil\r\nX"},
        {"kind": "no-part-of-ours"},
        {"kind": "\0x"},
        {"kind": "\ud800"},
        {"kind": "\x1b[2J\u202eevil"},
        {"account": "\uff11" * 12},
        {"account": "111122223333\n"},
    ],
)
def test_a_refused_call_with_any_context_is_an_incident(world: World, asked: dict[str, str]) -> None:
    bad, good = denied(world, **asked), denied(world) | {"sourceIPAddress": "192.0.2.9"}
    run(world, bad, good)
    check_judged(world, bad, good)
    assert {each.kind for each in incidents(world)} == {IncidentKind.UNLOGGED_DECRYPT}
    assert {each.account_id for each in incidents(world)} >= {"111122223333"}


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("arn:aws:kms:us-east-1:999999999999:key/66666666-2222-3333-4444-555555555555", None),
        (KEY, "111122223333"),
        (KEY.replace("1111", "7777"), "111122223333"),
    ],
)
def test_who_writes_our_context_over_a_key_of_their_own_blocks_no_account(
    world: World, key: str, account: str | None
) -> None:
    """Anybody with a key can; one of our own, or of the account that has it, has opened something."""
    world.held("111122223333")
    record = denied(world) | {"errorCode": None, "resources": [{"ARN": key}]}
    record["requestParameters"]["keyId"] = key
    run(world, record)
    check_judged(world, record)
    (incident,) = incidents(world)
    assert (incident.kind, incident.account_id) == (IncidentKind.UNLOGGED_DECRYPT, account)
    parts = world.vault.accounts.get(world.human("olga", Role.OPERATOR).actor, "111122223333").parts
    assert [Due.INCIDENT in each.due for each in parts] == [account is not None] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"userIdentity": {"type": "IAMUser", "arn": "\ud800\0\u202e\x1b[2J" * 60}},
        {"sourceIPAddress": "\u2028\u202e\0"},
        {"errorCode": "\ud800\x9b31m"},
        {"requestParameters": {"keyId": KEY, "sourceKeyId": "\0\ud800"}},
    ],
)
def test_whatever_a_caller_can_choose_is_shown_by_its_code_points(
    world: World, change: dict[str, Any]
) -> None:
    record = denied(world) | change
    run(world, record)
    check_judged(world, record)


@pytest.mark.parametrize("failure", [ValueError("x"), Invalid("input.invalid", "no"), RecursionError()])
def test_a_record_whose_judging_fails_is_put_aside_and_the_others_are_judged(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    records = [denied(world) for _ in range(3)]
    bad, judge = records[1], Judge.judge

    def judged(self: Judge, unit: Any, seen: Any, now: Any) -> Any:
        if seen.record.event_id == bad["eventID"]:
            raise failure
        return judge(self, unit, seen, now)

    monkeypatch.setattr(Judge, "judge", judged)
    counts = run(world, *records)
    check_judged(world, *records)
    assert (counts.unmatched, counts.opened) == (3, 2)
    (aside,) = [each for each in incidents(world) if "could not be judged" in each.summary]
    assert bad["eventID"] in aside.summary
    assert aside.kind is IncidentKind.UNLOGGED_DECRYPT


any_text = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    ["\u00b2", "\0", "\ud800", "9" * 5_000, "1", "password", "111122223333", "\x1b[2J", "\u202e"]
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
chosen = st.fixed_dictionaries({}, optional=dict.fromkeys(("account", "kind", "version"), any_text))
members = st.sampled_from(
    ("userIdentity", "sourceIPAddress", "errorCode", "requestID", "resources", "responseElements", "addendum")
)


@settings(max_examples=times(25, 500), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(chosen, st.dictionaries(members, any_json, max_size=3)), min_size=1, max_size=4))
def test_any_records_pass_and_each_is_judged(
    world: World, drawn: list[tuple[dict[str, str], dict[str, Any]]]
) -> None:
    records = [denied(world, **asked) | changed for asked, changed in drawn]
    counts = run(world, *records)
    assert counts.new == len(records)
    check_judged(world, *records)
    assert not any("could not be judged" in each.summary for each in incidents(world))
