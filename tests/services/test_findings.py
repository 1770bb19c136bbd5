"""Findings in people's hands: who sees, takes, hands on, accepts and closes them, and that none is explained away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import newest, types
from tests.support.inspected import PaperInspector, inspected
from vault.domain.account import Kind
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.health import Health
from vault.domain.hygiene import FindingState, Rule
from vault.domain.inspection import Known
from vault.errors import Conflict, Forbidden, Invalid, NotFound
from vault.ports.inspection import OF_DRIFT, FindingFilter
from vault.ports.store import Slice

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.domain.actor import Actor

NUMBER, OTHER = "111122223333", "444455556666"
SENTENCE = "the keys are deleted now"


@pytest.fixture
def paper(quick_world: World) -> PaperInspector:
    """Hold two accounts, the first with root keys and without a role."""
    made = inspected(quick_world.vault)
    quick_world.held()
    quick_world.account(OTHER)
    wrong: dict[str, Any] = {"root_keys": Known(value=True)}
    made.other[NUMBER] = wrong | {"defaults": {"role:Rackspace": Known(value=False)}}
    made.other[OTHER] = {"root_certificates": Known(value=True)}
    _look(quick_world)
    return made


def _look(world: World) -> None:
    world.clock.advance(days=1)
    while world.vault.inspecting.once().accounts:
        pass


def ids(world: World, who: Actor, wanted: FindingFilter = FindingFilter()) -> dict[Rule, str]:  # noqa: B008 - frozen
    """Give the findings that somebody sees, in the order of the list."""
    page = world.vault.findings.page(who, wanted, Slice(50))
    return {each.finding.rule: each.finding.id for each in page.items}


def test_findings_are_listed_open_weighty_and_old_ones_first(
    quick_world: World, paper: PaperInspector
) -> None:
    world, olga = quick_world, quick_world.human("olga", Role.OPERATOR).actor
    assert list(ids(world, olga)) == [Rule.ROOT_KEYS, Rule.ROOT_CERTIFICATES, Rule.DEFAULT]
    assert [(each.rule, each.count) for each in world.vault.findings.open_counts()] == [
        (Rule.DEFAULT, 1),
        (Rule.ROOT_CERTIFICATES, 1),
        (Rule.ROOT_KEYS, 1),
    ]
    first = world.vault.findings.page(olga, FindingFilter(), Slice(2))
    assert first.next is not None
    rest = world.vault.findings.page(olga, FindingFilter(), Slice(2, first.next))
    assert [each.finding.rule for each in (*first.items, *rest.items)] == list(ids(world, olga))
    assert rest.next is None
    paper.other.pop(NUMBER)
    _look(world)
    assert next(iter(ids(world, olga))) is Rule.ROOT_CERTIFICATES
    for cursor in (2, 1):
        page = world.vault.findings.page(olga, FindingFilter(), Slice(cursor))
        after = world.vault.findings.page(olga, FindingFilter(), Slice(9, page.next))
        assert [each.finding.rule for each in (*page.items, *after.items)] == list(ids(world, olga))
    closed = FindingFilter(state=FindingState.CLOSED)
    assert set(ids(world, olga, closed)) == {Rule.ROOT_KEYS, Rule.DEFAULT}
    assert list(ids(world, olga, FindingFilter(account_id=OTHER))) == [Rule.ROOT_CERTIFICATES]
    assert ids(world, olga, OF_DRIFT) == {}


@pytest.mark.usefixtures("paper")
def test_one_is_taken_handed_on_and_closed_by_its_owner(quick_world: World) -> None:
    world = quick_world
    olga, amir = world.human("olga", Role.OPERATOR).actor, world.human("amir", Role.APPROVER).actor
    findings, keys = world.vault.findings, ids(world, olga)[Rule.ROOT_KEYS]
    with pytest.raises(Conflict, match="Nobody has taken it"):
        findings.close(olga, keys, SENTENCE)
    with pytest.raises(Conflict, match="Nobody has taken it"):
        findings.accept(olga, keys, SENTENCE, 9)
    assert findings.take(olga, keys).owner == "olga"
    assert findings.take(olga, keys).owner == "olga"
    with pytest.raises(Conflict, match="olga has it"):
        findings.take(amir, keys)
    with pytest.raises(Conflict, match="olga has it"):
        findings.close(amir, keys, SENTENCE)
    uma = world.human("uma", Role.AUDITOR).actor
    with pytest.raises(Invalid, match="active person"):
        findings.take(olga, keys, uma.id)
    assert findings.take(olga, keys, amir.id).owner == "amir"
    assert findings.get(amir, keys).not_mine == ""
    assert "amir has it" in findings.get(olga, keys).not_mine
    with pytest.raises(Invalid):
        findings.close(amir, keys, "too short")
    done = findings.close(amir, keys, f" {SENTENCE}\n")
    assert (done.finding.state, done.finding.ending, done.finding.ended_by) == ("closed", SENTENCE, amir.id)
    with pytest.raises(Conflict, match="closed already"):
        findings.take(amir, keys)
    assert [entry["detail"]["owner"] for entry in newest(world, "finding.assigned")] == [amir.id, olga.id]
    # said to be mended, and it is not
    _look(world)
    again = findings.get(olga, keys).view.finding
    assert (again.state, again.owner_id) == (FindingState.OPEN, None)
    assert types(world).count("finding.closed") == 1


def test_one_is_accepted_for_a_time_and_comes_back_after_it(
    quick_world: World, paper: PaperInspector
) -> None:
    world, olga = quick_world, quick_world.human("olga", Role.OPERATOR).actor
    findings, default = world.vault.findings, ids(world, olga)[Rule.DEFAULT]
    findings.take(olga, default)
    for days in (0, 367):
        with pytest.raises(Invalid):
            findings.accept(olga, default, SENTENCE, days)
    findings.accept(olga, default, "the customer wants none", 30)
    _look(world)
    accepted = findings.get(olga, default).view.finding
    assert (accepted.state, accepted.ending) == (FindingState.ACCEPTED, "the customer wants none")
    assert list(ids(world, olga))[-1] is Rule.DEFAULT
    world.clock.advance(days=29)
    _look(world)
    assert findings.get(olga, default).view.finding.state is FindingState.OPEN
    findings.take(olga, default)
    findings.accept(olga, default, "the customer wants none", 30)
    paper.other.clear()
    _look(world)
    assert findings.get(olga, default).view.finding.state is FindingState.CLOSED


@pytest.mark.usefixtures("paper")
def test_what_weighs_most_is_never_accepted(quick_world: World) -> None:
    olga = quick_world.human("olga", Role.OPERATOR).actor
    findings, keys = quick_world.vault.findings, ids(quick_world, olga)[Rule.ROOT_KEYS]
    findings.take(olga, keys)
    assert not findings.get(olga, keys).may_accept
    with pytest.raises(Conflict, match="never accepted"):
        findings.accept(olga, keys, SENTENCE, 30)
    assert newest(quick_world, "access.denied")[0]["detail"]["asked_for"] == f"finding {keys}"
    assert findings.get(olga, keys).view.finding.state is FindingState.OPEN


@pytest.mark.usefixtures("paper")
def test_nobodys_word_makes_a_credential_healthy_again_that_aws_contradicts(
    quick_world: World, paper: PaperInspector
) -> None:
    """Root without MFA: who closes the finding by a sentence, while the role sees nothing, would hide it."""
    world, olga = quick_world, quick_world.human("olga", Role.OPERATOR).actor
    paper.other[NUMBER] = {"root_mfa": Known(value=False)}
    _look(world)
    found = ids(world, olga)[Rule.MFA_OFF]
    world.vault.findings.take(olga, found)
    with pytest.raises(Conflict, match="once AWS shows it mended"):
        world.vault.findings.close(olga, found, "enrolled it again this morning")
    assert world.vault.findings.get(olga, found).not_mine
    assert world.vault.healths.get(olga, NUMBER).health.health is Health.OUT_OF_SYNC
    paper.other.pop(NUMBER)
    _look(world)
    assert world.vault.findings.get(olga, found).view.finding.state is FindingState.CLOSED
    assert world.vault.healths.get(olga, NUMBER).health.health is not Health.OUT_OF_SYNC


@pytest.mark.usefixtures("paper")
def test_findings_of_others_accounts_are_not_there(quick_world: World) -> None:
    world = quick_world
    keys = ids(world, world.human("olga", Role.OPERATOR).actor)[Rule.ROOT_KEYS]
    near = world.human("near", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER)).actor
    assert list(ids(world, near)) == [Rule.ROOT_CERTIFICATES]
    for absent in (keys, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound):
            world.vault.findings.get(near, absent)
        with pytest.raises(NotFound):
            world.vault.findings.take(near, absent)
    assert len(newest(world, "access.denied")) == 2
    # an auditor sees them and does nothing about them
    uma = world.human("uma", Role.AUDITOR).actor
    detail = world.vault.findings.get(uma, keys)
    assert (detail.may_take, detail.may_accept, detail.candidates) == (False, False, ())
    with pytest.raises(Forbidden):
        world.vault.findings.take(uma, keys)


@pytest.mark.usefixtures("paper")
def test_candidates_are_who_may_handle_that_account(quick_world: World) -> None:
    world, olga = quick_world, quick_world.human("olga", Role.OPERATOR).actor
    world.human("near", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER))
    world.human("uma", Role.AUDITOR)
    found = world.vault.findings.get(olga, ids(world, olga)[Rule.ROOT_KEYS])
    assert [each.name for each in found.candidates] == ["carla", "olga"]
    assert Kind.STANDALONE is found.view.account.kind


@pytest.mark.usefixtures("paper")
def test_who_handles_findings_is_told_of_the_weightiest_and_of_what_they_are_handed(
    quick_world: World,
) -> None:
    world, olga = quick_world, quick_world.human("olga", Role.OPERATOR)
    near = world.human("near", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER))
    otto, uma = world.human("otto", Role.OPERATOR), world.human("uma", Role.AUDITOR)
    keys = ids(world, olga.actor)[Rule.ROOT_KEYS]
    world.vault.findings.take(olga.actor, keys)
    world.vault.findings.take(olga.actor, keys, otto.actor.id)
    world.vault.telling.once()

    def inbox(who: Human) -> set[tuple[str, str]]:
        page = world.vault.notices.inbox(who.actor, Slice(50), unread=False)
        return {(each.title, each.path) for each in page.items if "finding" in each.path}

    found = (f"An account's root is not as it should be: {NUMBER}", f"/upkeep/findings/{keys}")
    assert inbox(olga) == {found}
    assert inbox(otto) == {(f"olga handed you a finding of {NUMBER}", f"/upkeep/findings/{keys}"), found}
    assert inbox(near) == inbox(uma) == set()
