"""What root did, against the checkouts that there were: covered, a broker's, before our time, or an incident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.trails import assumed, root, used
from tests.support.watch import NUMBER, Watch
from tests.support.world import START
from vault.domain.incident import IncidentKind


def test_sign_ins_under_a_checkout_are_the_checkouts(watch: Watch) -> None:
    lease = watch.world.lease(watch.alice, NUMBER)
    at = watch.world.clock.now()
    watch.vault.reveals.password(watch.alice.actor, lease.id)
    record, use = root(NUMBER, at), used(NUMBER, at + timedelta(minutes=5))
    failed = root(
        NUMBER, at, responseElements={"ConsoleLogin": "Failure"}, errorMessage="Failed authentication"
    )
    watch.deliver(record, use, failed)
    counts = watch.run()
    assert (counts.matched, counts.opened) == (3, 0)
    told = watch.vault.reconciliation.of_checkout(lease.id)
    assert told is not None
    assert [each.seen.record.name for each in told.records if each.seen.record.recipient == NUMBER].count(
        "ConsoleLogin"
    ) == 2
    assert not any(each.after for each in told.records)


@pytest.mark.parametrize(
    ("seconds", "shown", "covered"),
    [
        (0, True, True),
        (12 * 3600, True, True),
        (12 * 3600 + 1, True, False),
        (1, False, False),
        (-1, False, True),
        (-3600 - 61, True, False),
    ],
)
def test_what_was_begun_under_a_lease_is_covered_for_twelve_hours_after_it(
    watch: Watch,
    seconds: int,
    shown: bool,
    covered: bool,
) -> None:
    watch.world.clock.advance(hours=2)
    lease = watch.world.lease(watch.alice, NUMBER)
    if shown:
        watch.vault.reveals.password(watch.alice.actor, lease.id)
    watch.world.clock.at = (lease.activated_at or START) + timedelta(hours=1)
    watch.vault.sweep.once()
    end = watch.world.clock.now()
    watch.deliver(use := used(NUMBER, end + timedelta(seconds=seconds)))
    watch.world.clock.advance(days=1)
    watch.run()
    if covered:
        assert watch.matched(use["eventID"]) == f"checkout:{lease.id}"
    else:
        (incident,) = watch.incidents()
        assert (incident.kind, incident.account_id) == (IncidentKind.ROOT_USE, NUMBER)


def test_a_sign_in_that_nobody_asked_for_is_told_with_its_factor_and_address(watch: Watch) -> None:
    at = watch.world.clock.now()
    plain = root(NUMBER, at, additionalEventData={"MFAUsed": "No"}, sourceIPAddress="198.51.100.77")
    recovery = root(NUMBER, at, "PasswordRecoveryCompleted")
    mail = root(NUMBER, at, "EmailUpdated")
    unknown = root("777788889999", at)
    watch.deliver(plain, recovery, mail, unknown)
    counts = watch.run()
    assert (counts.opened, counts.not_ours) == (3, 1)
    summaries = {each.summary for each in watch.incidents()}
    assert any("198.51.100.77 WITHOUT MFA" in words for words in summaries)
    assert {each.kind for each in watch.incidents()} == {IncidentKind.ROOT_SIGN_IN}
    assert watch.matched(unknown["eventID"]) == "not_ours"


def test_a_brokers_task_session_is_no_root_use_by_a_person(watch: Watch) -> None:
    at, key = watch.world.clock.now(), "ASIAIOSFODNN7SESS01"
    follow_up, foreign = used(NUMBER, at, key=key), used(NUMBER, at, key="ASIAIOSFODNN7OTHER1")
    # what was done in a session may arrive before the session
    watch.deliver(follow_up, foreign, region="eu-central-1")
    assert watch.run(settle=False).opened == 0
    watch.deliver(session := assumed(NUMBER, at, key))
    watch.run()
    assert watch.matched(follow_up["eventID"]) == f"session:{session['eventID']}"
    (incident,) = watch.incidents()
    assert watch.matched(foreign["eventID"]) == f"incident:{incident.id}"


def test_services_acts_and_times_before_custody_are_not_root_use(watch: Watch) -> None:
    at = watch.world.clock.now()
    service = used(NUMBER, at, eventType="AwsServiceEvent")
    invoked = used(NUMBER, at)
    invoked["userIdentity"]["invokedBy"] = "cloudformation.amazonaws.com"
    before = root(NUMBER, at - timedelta(days=400))
    watch.deliver(service, invoked, before)
    counts = watch.run()
    assert (counts.read, counts.new, counts.opened) == (3, 1, 0)
    assert watch.matched(before["eventID"]) == "not_ours"


def test_a_record_that_comes_months_late_is_matched_by_when_it_happened(watch: Watch) -> None:
    lease = watch.world.lease(watch.alice, NUMBER)
    at = watch.world.clock.now()
    watch.world.clock.advance(days=200)
    watch.deliver(late := root(NUMBER, at, addendum={"reason": "SERVICE_OUTAGE"}))
    assert watch.run().late == 1
    assert watch.matched(late["eventID"]) == f"checkout:{lease.id}"


def test_the_same_act_within_an_hour_is_one_incident_until_it_is_closed(watch: Watch) -> None:
    at = watch.world.clock.now()
    watch.deliver(*(root(NUMBER, at + timedelta(seconds=n)) for n in range(30)))
    counts = watch.run()
    assert (counts.unmatched, counts.opened) == (30, 1)
    (incident,) = watch.incidents()
    watch.vault.incidents.take(watch.auditor, incident.id)
    watch.vault.incidents.close(watch.auditor, incident.id, "It was the customer, on the phone with us.")
    watch.deliver(root(NUMBER, at + timedelta(seconds=40)))
    assert watch.run().opened == 1
    assert [each.is_open for each in watch.incidents()] == [True, False]
