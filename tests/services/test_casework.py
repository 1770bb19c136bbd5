"""What all cases have in common, on a made-up kind: order, words, second words, waiving, acts, ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.cases import KIND, Bench, bench_of
from tests.support.replay import check_replay
from vault.crypto import totp
from vault.domain.account import Kind
from vault.domain.actor import Reach, Role, Scope, ScopeKind
from vault.domain.case import StepState
from vault.domain.outlook import Standing
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from vault.ports.cases import CaseFilter
from vault.ports.store import EntryFilter, Slice
from vault.services.custody import Existing

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.ports.store import Entry
    from vault.services.case_kinds import Carried, Work

A, B, P = "111122223333", "222233334444", "999900001111"
NOTE = {"note": "seen on the page of the bank"}


@pytest.fixture
def bench(quick_world: World) -> Bench:
    quick_world.held(A)
    return bench_of(quick_world)


def standing(bench: Bench, case_id: str, account: str = A) -> dict[str, Standing]:
    view = bench.rooms.work.get(bench.csm, case_id)
    return {each.step.name: each.standing for each in view.items if each.account_id in {"", account}}


def entries(world: World, type_: str) -> list[Entry]:
    with world.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(type=type_), Reach(everything=True), Slice(limit=50))
    return list(page.items)


def test_a_case_goes_its_way_and_the_log_replays_it(bench: Bench) -> None:
    work = bench.rooms.work
    case = bench.open(A)
    assert standing(bench, case.id) == {
        "who": Standing.DONE,
        "held": Standing.DONE,
        "balance": Standing.OPEN,
        "begin": Standing.BLOCKED,
        "no_return": Standing.BLOCKED,
        "remove": Standing.BLOCKED,
        "letter": Standing.BLOCKED,
        "end": Standing.BLOCKED,
    }
    bench.begin(case, A)
    bench.no_return(case, A)
    bench.shed.things = {A: {"role", "topic"}}
    assert bench.rooms.acts.preview(bench.operator, case.id, "remove", A).goes == ("role", "topic")
    assert bench.shed.things == {A: {"role", "topic"}}
    done = bench.rooms.acts.run(bench.operator, case.id, "remove", A, {"code": "123456"})
    assert (done.standing, bench.shed.things) == (Standing.DONE, {A: set()})
    chris, ada = bench.world.people["chris"], bench.world.people["ada"]
    why = "the customer wants no letter, see the ticket"
    work.waive(chris.actor, case.id, "letter", A, why, chris.otp())
    assert work.agree(ada.actor, case.id, "letter", A, ada.otp()).standing is Standing.WAIVED
    work.attest(chris.actor, case.id, "end", given=NOTE)
    ended = work.get(chris.actor, case.id)
    assert (ended.scene.case.state, ended.waits) == ("done", ())
    check_replay(bench.world)


def test_where_it_waits_names_who_and_since_when(bench: Bench) -> None:
    case = bench.open(A)
    bench.world.clock.advance(hours=5)
    (waits,) = bench.rooms.work.get(bench.csm, case.id).waits
    assert (waits.step.name, waits.who) == ("balance", Permission.HANDOVER_PREPARE)
    assert waits.since == case.opened_at
    bench.rooms.work.attest(bench.csm, case.id, "balance", A, NOTE)
    (waits,) = bench.rooms.work.get(bench.csm, case.id).waits
    assert (waits.step.name, waits.who) == ("begin", Permission.HANDOVER_CARRY_OUT)
    assert waits.since == bench.world.clock.now()


def test_what_was_said_yesterday_counts_no_more(bench: Bench) -> None:
    case = bench.open(A)
    bench.rooms.work.attest(bench.csm, case.id, "balance", A, NOTE)
    bench.world.clock.advance(days=1)
    assert standing(bench, case.id)["balance"] is Standing.OPEN
    with pytest.raises(Conflict, match="first comes Nothing is owed"):
        bench.rooms.work.attest(bench.operator, case.id, "begin", A, NOTE)
    bench.begin(case, A)
    bench.world.clock.advance(days=1)
    assert standing(bench, case.id)["balance"] is Standing.DONE, "it was in time when the day began"


def test_each_wrong_field_is_named(bench: Bench) -> None:
    opening = bench.opening(A)
    wrong = replace(opening, given={("", "who"): {"name": "\u202ecilA", "email": "no", "x": "1"}})
    with pytest.raises(Invalid) as caught:
        bench.rooms.opening.open(bench.csm, wrong)
    assert {error.pointer for error in caught.value.errors} == {"/who/x", "/who/name", "/who/email"}
    with pytest.raises(Invalid):
        bench.rooms.opening.open(bench.csm, replace(opening, account_ids=(A, A)))


def test_an_account_is_in_one_case(bench: Bench) -> None:
    first = bench.open(A)
    with pytest.raises(Conflict, match=first.id) as caught:
        bench.open(A)
    assert caught.value.code == "case.account"
    bench.rooms.work.cancel(bench.csm, first.id, "opened for the wrong customer")
    assert bench.open(A).id != first.id


def test_the_same_cause_again_is_the_same_case(bench: Bench) -> None:
    first = bench.open(A, cause="order-7")
    assert bench.open(A, cause="order-7").id == first.id


def test_who_may_not_is_refused_and_told(bench: Bench) -> None:
    case = bench.open(A)
    with pytest.raises(Forbidden):
        bench.rooms.work.attest(bench.operator, case.id, "balance", A, NOTE)
    with pytest.raises(Forbidden):
        bench.rooms.opening.open(bench.operator, bench.opening(A))
    elsewhere = bench.world.human("nina", Role.CSM, Scope(ScopeKind.CUSTOMER, "another")).actor
    with pytest.raises(NotFound):
        bench.rooms.work.attest(elsewhere, case.id, "balance", A, NOTE)
    with pytest.raises(NotFound):
        bench.rooms.work.get(elsewhere, case.id)
    assert len(entries(bench.world, "access.denied")) >= 3
    assert bench.rooms.work.page(elsewhere, CaseFilter(), Slice()).items == ()


def test_who_reaches_one_account_sees_nothing_of_the_others(bench: Bench) -> None:
    bench.world.held(B)
    case = bench.open(A, B)
    narrow = bench.world.human("nora", Role.CSM, Scope(ScopeKind.ACCOUNT, A)).actor
    view = bench.rooms.work.get(narrow, case.id)
    assert list(view.scene.accounts) == [A]
    assert {each.account_id for each in view.items} == {"", A}
    (listed,) = bench.rooms.work.page(narrow, CaseFilter(), Slice()).items
    assert B not in repr(listed)
    bench.rooms.work.attest(narrow, case.id, "balance", A, NOTE)
    with pytest.raises(NotFound):
        bench.rooms.work.attest(narrow, case.id, "balance", B, NOTE)
    with pytest.raises(NotFound):
        bench.rooms.opening.open(narrow, bench.opening(A))


def test_one_person_is_not_two(bench: Bench) -> None:
    case = bench.open(A)
    bench.begin(case, A)
    olga = bench.world.people["olga"]
    bench.rooms.work.attest(olga.actor, case.id, "no_return", A, NOTE, olga.otp())
    assert standing(bench, case.id)["no_return"] is Standing.ASKED
    with pytest.raises(Forbidden):  # no approver
        bench.rooms.work.agree(olga.actor, case.id, "no_return", A, olga.otp())
    both = bench.world.human("both", Role.APPROVER)
    grown = replace(olga.actor, powers=(*olga.actor.powers, *both.actor.powers))
    with pytest.raises(Forbidden, match="another person"):
        bench.rooms.work.agree(grown, case.id, "no_return", A, olga.otp())
    before = case.opened_at - timedelta(seconds=1)
    with pytest.raises(Conflict, match="not what you looked at"):
        bench.rooms.work.agree(both.actor, case.id, "no_return", A, both.otp(), before)
    with pytest.raises(Conflict):  # one word is none
        bench.rooms.acts.run(olga.actor, case.id, "remove", A)


def test_the_first_word_of_who_may_no_more_is_none(bench: Bench) -> None:
    case = bench.open(A)
    bench.begin(case, A)
    olga, ada = bench.world.people["olga"], bench.world.human("ada", Role.APPROVER)
    bench.rooms.work.attest(olga.actor, case.id, "no_return", A, NOTE, olga.otp())
    with bench.world.vault.units.write() as unit:
        (grant,) = unit.people.grants(olga.actor.id)
        unit.people.update_grant(replace(grant, removed_at=bench.world.clock.now()))
        unit.commit()
    with pytest.raises(Conflict, match="may not do so any more"):
        bench.rooms.work.agree(ada.actor, case.id, "no_return", A, ada.otp())


def test_a_word_may_be_refused(bench: Bench) -> None:
    case = bench.open(A)
    bench.begin(case, A)
    olga, ada = bench.world.people["olga"], bench.world.human("ada", Role.APPROVER)
    bench.rooms.work.attest(olga.actor, case.id, "no_return", A, NOTE, olga.otp())
    refused = bench.rooms.work.disagree(ada.actor, case.id, "no_return", A, "the bill is not paid at all")
    assert (refused.standing, refused.done and refused.done.words) == (
        Standing.FAILED,
        "the bill is not paid at all",
    )
    bench.no_return(case, A)
    assert standing(bench, case.id)["no_return"] is Standing.DONE


def test_what_allows_no_exception_is_not_waived(bench: Bench) -> None:
    case = bench.open(A)
    chris = bench.world.people["chris"]
    with pytest.raises(Conflict) as caught:
        bench.rooms.work.waive(chris.actor, case.id, "balance", A, "they will pay it tomorrow", chris.otp())
    assert caught.value.code == "case.rule"


def test_something_else_replaces_it_while_nothing_rests_on_it(bench: Bench) -> None:
    case = bench.open(A)
    again = {"name": "Sue Signs", "email": "sue@customer.example"}
    assert bench.rooms.work.attest(bench.csm, case.id, "who", given=again).standing is Standing.DONE
    bench.begin(case, A)
    with pytest.raises(Conflict, match="rests on it"):
        bench.rooms.work.attest(bench.csm, case.id, "who", given=again | {"name": "Sid Signs"})
    same = bench.rooms.work.attest(bench.csm, case.id, "who", given=again)
    assert same.standing is Standing.DONE, "the same again is the same"


def test_what_the_vault_reads_nobody_says(bench: Bench) -> None:
    case = bench.open(A)
    with pytest.raises(Conflict, match="reads this from the account"):
        bench.rooms.work.attest(bench.csm, case.id, "held", A, NOTE)


def hold(world: World, number: str, kind: Kind) -> None:
    carla = world.people["carla"]
    account = world.account(number, kind)
    values = Secret(f"Correct-Horse-{number}"), totp.generate_seed().secret
    world.vault.custodies.take_in(
        carla.actor, number, Existing(account.root_email, *values, attested=True), carla.otp()
    )


def ready(bench: Bench) -> str:
    case = bench.open(A)
    bench.begin(case, A)
    bench.no_return(case, A)
    return case.id


def test_what_aws_leaves_is_told_and_done_again(bench: Bench) -> None:
    case_id = ready(bench)
    bench.shed.things, bench.shed.keeps = {A: {"a", "b"}}, {"b"}
    with pytest.raises(Unavailable, match="b: refused"):
        bench.rooms.acts.run(bench.operator, case_id, "remove", A)
    assert standing(bench, case_id)["remove"] is Standing.FAILED
    bench.shed.keeps = set()
    assert bench.rooms.acts.run(bench.operator, case_id, "remove", A).standing is Standing.DONE
    bench.shed.things = {A: {"c"}}
    assert bench.rooms.acts.run(bench.operator, case_id, "remove", A).standing is Standing.DONE
    assert bench.shed.things == {A: {"c"}}, "what is done is not done again"


def test_whoever_is_stopped_goes_on_and_others_wait(bench: Bench) -> None:
    case_id = ready(bench)
    bench.shed.things = {A: {"a", "b", "c"}}

    class Killed(BaseException):
        """The process ends here."""

    real = bench.shed.carry_out

    def killed(work: object) -> object:
        bench.shed.things[A].discard("a")
        raise Killed

    bench.shed.carry_out = killed  # type: ignore[method-assign,assignment]  # a process that ends in the act
    with pytest.raises(Killed):
        bench.rooms.acts.run(bench.operator, case_id, "remove", A)
    bench.shed.carry_out = real  # type: ignore[method-assign]  # the next process
    assert standing(bench, case_id)["remove"] is Standing.DOING
    other = bench.world.human("otto", Role.OPERATOR).actor
    with pytest.raises(Conflict) as caught:
        bench.rooms.acts.run(other, case_id, "remove", A)
    assert caught.value.code == "case.busy"
    with pytest.raises(Conflict):
        bench.rooms.work.cancel(bench.csm, case_id, "we do not want this any more")
    bench.world.clock.advance(minutes=6)
    assert bench.rooms.acts.run(other, case_id, "remove", A).standing is Standing.DONE
    assert bench.shed.things == {A: set()}
    check_replay(bench.world)


def test_a_word_that_things_are_gone_is_held_against_what_aws_has(bench: Bench) -> None:
    case_id = ready(bench)
    olga, ada = bench.world.human("olga", Role.OPERATOR), bench.world.human("ada", Role.APPROVER)
    work, by_hand = bench.rooms.work, {"note": "removed in the console"}
    bench.shed.things = {A: {"role"}}
    with pytest.raises(Conflict, match="AWS still lists role"):
        work.attest(olga.actor, case_id, "remove", A, by_hand, olga.otp())
    bench.shed.shut = "The role cannot be assumed."
    with pytest.raises(Invalid, match="So it takes another person") as missing:
        work.attest(olga.actor, case_id, "remove", A, by_hand)
    assert [each.pointer for each in missing.value.errors] == ["/otp"]
    assert entries(bench.world, "stepup.refused") == []
    asked = work.attest(olga.actor, case_id, "remove", A, by_hand, olga.otp())
    assert asked.standing is Standing.ASKED
    assert asked.done is not None
    assert "The role cannot be assumed" in asked.done.words
    work.disagree(ada.actor, case_id, "remove", A, "look again tomorrow")
    bench.shed.shut, bench.shed.things = "", {}
    seen = work.attest(olga.actor, case_id, "remove", A, by_hand)
    assert seen.done is not None
    assert "lists nothing of ours" in seen.done.words


def test_an_outcome_is_written_whatever_its_actor_lost_meanwhile(bench: Bench) -> None:
    case_id = ready(bench)
    real, ground = bench.shed.carry_out, type(bench.rooms.work.ground)

    def blind(work: Work) -> Carried:
        patch.setattr(ground, "sees", lambda *_: False)
        return real(work)

    bench.shed.carry_out = blind  # type: ignore[method-assign]  # whoever asked loses sight in the act
    with pytest.MonkeyPatch.context() as patch:
        bench.rooms.acts.run(bench.operator, case_id, "remove", A)
    assert standing(bench, case_id)["remove"] is Standing.DONE


def test_what_aws_did_for_a_case_that_ended_is_told_and_nothing_follows(bench: Bench) -> None:
    plan = bench.toy.plan
    bench.toy.plan = replace(plan, steps=tuple(replace(each, reversible=True) for each in plan.steps))
    case_id, real = ready(bench), bench.shed.carry_out

    def late(work: Work) -> Carried:
        bench.world.clock.advance(minutes=6)
        bench.rooms.work.cancel(bench.csm, case_id, "nobody waits for it any more")
        bench.toy.follows = lambda *_: pytest.fail("something follows")  # type: ignore[method-assign]  # of a case that is over
        return real(work)

    bench.shed.carry_out = late  # type: ignore[method-assign]  # AWS takes longer than a step has
    with pytest.raises(Conflict, match="AWS did it"):
        bench.rooms.acts.run(bench.operator, case_id, "remove", A)
    with bench.world.vault.units.read() as unit:
        case = unit.cases.get(case_id)
        assert case is not None
        done = unit.cases.scene(case).of(A, "remove")
    assert (case.state, done and done.state) == ("cancelled", StepState.DONE)
    check_replay(bench.world)


def test_a_code_is_handed_on_and_forgotten(bench: Bench) -> None:
    case_id = ready(bench)
    bench.rooms.acts.run(bench.operator, case_id, "remove", A, {"code": "31415926"})
    assert bench.shed.codes == ["31415926"]
    told = [
        entry.leaf for kind in ("case.step.begun", "case.step.done") for entry in entries(bench.world, kind)
    ]
    assert told
    assert not any(b"31415926" in leaf for leaf in told)
    with bench.world.vault.units.read() as unit:
        case = unit.cases.get(case_id)
        assert case is not None
        assert "31415926" not in repr(unit.cases.scene(case))


def test_a_payer_waits_for_its_members(bench: Bench) -> None:
    world = bench.world
    for number, kind in ((B, Kind.MEMBER), (P, Kind.PAYER)):
        hold(world, number, kind)
    case = bench.open(P, B)
    for number in (P, B):
        bench.begin(case, number)
        bench.no_return(case, number)
    with pytest.raises(Conflict, match="Things are removed"):
        bench.rooms.acts.run(bench.operator, case.id, "remove", P)
    bench.rooms.acts.run(bench.operator, case.id, "remove", B)
    assert bench.rooms.acts.run(bench.operator, case.id, "remove", P).standing is Standing.DONE


def test_a_kind_may_say_no(bench: Bench) -> None:
    case = bench.open(A)
    bench.toy.against = Conflict("case.rule", "Not before the 16th.")
    with pytest.raises(Conflict, match="Not before the 16th"):
        bench.rooms.work.attest(bench.csm, case.id, "balance", A, NOTE)
    assert standing(bench, case.id)["balance"] is Standing.OPEN


def test_the_irreversible_is_not_cancelled(bench: Bench) -> None:
    case_id = ready(bench)
    with pytest.raises(Conflict, match="cannot be undone"):
        bench.rooms.work.cancel(bench.csm, case_id, "we do not want this any more")


def test_cancelled_twice_is_cancelled(bench: Bench) -> None:
    case = bench.open(A)
    why = "the customer stays with us after all"
    assert bench.rooms.work.cancel(bench.csm, case.id, why).scene.case.state == "cancelled"
    assert bench.rooms.work.cancel(bench.csm, case.id, why).scene.case.state == "cancelled"
    with pytest.raises(Conflict):
        bench.rooms.work.attest(bench.csm, case.id, "balance", A, NOTE)
    assert bench.rooms.work.page(bench.csm, CaseFilter(kind=KIND, is_open=True), Slice()).items == ()
    check_replay(bench.world)
