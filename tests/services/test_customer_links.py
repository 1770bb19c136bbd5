"""The customer's link and its code: two ways, opened once, and nothing to be learnt by guessing (H9, S15, S22, S30)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.handed import SIGNED, Post, at_release, link, people, post_of, released
from tests.support.world import World
from vault.domain.actor import EVERYTHING, Origin, Role
from vault.domain.credential import VersionLabel
from vault.domain.destruction import Ground
from vault.domain.event import Event, EventType
from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_ON, INSTEAD, WHERE
from vault.domain.plans.release import SIGNED as SIGNED_FIELD
from vault.domain.release import CODE_ALPHABET, TRIES, VISIT_LASTS, LinkEnd, Way, spelled
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, Invalid, Limited, Unauthenticated, Unavailable
from vault.ports.anchors import AnchorFailed
from vault.ports.records import EntryFilter, Slice

ORIGIN = Origin(request_id="r", ip="198.51.100.7")
WRONG = "22222222"


def elsewhere(number: int) -> Origin:
    """Give another network each time, so that the network's own delay is out of the way."""
    return Origin(request_id="r", ip=f"203.0.{number}.1")


def types(world: World, *wanted: EventType) -> list[str]:
    """Name the entries of these types, oldest first."""
    with world.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(types=wanted), EVERYTHING, Slice(100))
    return [str(each.content["type"]) for each in reversed(page.items)]


def opened(world: World) -> tuple[str, Post, Secret[str], Secret[str]]:
    """Release a handover and open its page; give case, post, token and visit."""
    post = post_of(world)
    case_id = released(world)
    token, code = link(world, case_id, post)
    return case_id, post, token, world.vault.releases.links.enter(token, code, ORIGIN)


def refused(world: World, token: Secret[str], code: str, origin: Origin = ORIGIN) -> str:
    """Give what is said to link and code that open nothing."""
    with pytest.raises(Unauthenticated) as error:
        world.vault.releases.links.enter(token, code, origin)
    assert error.value.code == "handover.link"
    return error.value.detail


def test_link_and_code_open_the_page_once(quick_world: World) -> None:
    case_id, post, token, visit = opened(quick_world)
    room = quick_world.vault.releases.acknowledging
    (to, subject, body), *_ = post.letters
    assert to == ("maria@customer.example",)
    assert "111122223333" not in subject + body
    end = room.page(token, visit)
    assert end is not None
    assert end.scene.case.id == case_id
    assert room.page(token, None) is None
    assert room.page(token, Secret("another")) is None
    assert room.page(Secret("another"), visit) is None
    code = quick_world.vault.releases.links
    assert code.mailer is post
    quick_world.clock.at += VISIT_LASTS
    assert room.page(token, visit) is None


def test_a_used_link_opens_nothing_again_even_with_its_code(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    rooms = quick_world.vault.releases
    visit = rooms.links.enter(token, code, ORIGIN)
    assert "used already" in refused(quick_world, token, code)
    assert rooms.acknowledging.page(token, visit) is not None  # who was first keeps it
    rooms.acknowledging.leave(token, visit, ORIGIN)
    assert rooms.acknowledging.page(token, visit) is None
    assert "used already" in refused(quick_world, token, code)


def test_each_half_alone_says_the_same_as_nothing_at_all(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    said = {
        refused(quick_world, token, WRONG, elsewhere(1)),
        refused(quick_world, Secret("x" * 43), code, elsewhere(2)),
        refused(quick_world, Secret("x" * 43), WRONG, elsewhere(3)),
        refused(quick_world, Secret(""), "", elsewhere(4)),
        refused(quick_world, token, "\u0662" * 8, elsewhere(5)),
    }
    assert len(said) == 1
    quick_world.vault.releases.links.enter(token, f" {code[:4].lower()}-{code[4:]} ", ORIGIN)


def test_the_code_of_another_handover_opens_nothing(quick_world: World) -> None:
    post = post_of(quick_world)
    one, other = released(quick_world, "111122223333"), released(quick_world, "111122224444")
    token, code = link(quick_world, one, post)
    other_token, other_code = link(quick_world, other, post)
    refused(quick_world, token, other_code, elsewhere(1))
    refused(quick_world, other_token, code, elsewhere(2))
    rooms = quick_world.vault.releases
    visit = rooms.links.enter(token, code, ORIGIN)
    assert rooms.acknowledging.page(other_token, visit) is None
    with pytest.raises(Unauthenticated):
        rooms.acknowledging.acknowledge(other_token, visit, SIGNED, ORIGIN)


def test_a_new_link_ends_the_one_before_and_its_visit(quick_world: World) -> None:
    case_id, post, token, visit = opened(quick_world)
    other, code = link(quick_world, case_id, post)
    room = quick_world.vault.releases.acknowledging
    assert room.page(token, visit) is None
    with pytest.raises(Unauthenticated):
        room.acknowledge(token, visit, SIGNED, ORIGIN)
    assert quick_world.vault.releases.links.enter(other, code, ORIGIN) is not None
    with quick_world.vault.units.read() as unit:
        assert [each.ending for each in unit.releases.links(case_id)] == [None, LinkEnd.REPLACED]


def test_an_old_link_with_its_own_code_says_that_there_is_a_newer_one(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    link(quick_world, case_id, post)
    assert "newer link" in refused(quick_world, token, code)


def test_five_wrong_codes_end_a_link(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    for number in range(TRIES):
        refused(quick_world, token, WRONG, elsewhere(number))
    assert "too many wrong codes" in refused(quick_world, token, code, elsewhere(99))
    assert types(quick_world, EventType.LINK_ENDED) == ["handover.link.ended"]
    with quick_world.vault.units.read() as unit:
        (kept,) = unit.releases.links(case_id)
    assert (kept.wrong, kept.ending) == (TRIES, LinkEnd.GUESSED)


def test_one_network_waits_longer_with_each_wrong_try(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    for number in range(5):
        refused(quick_world, Secret(f"{number}" * 43), WRONG)
    token, code = link(quick_world, case_id, post)
    with pytest.raises(Limited) as error:
        quick_world.vault.releases.links.enter(token, code, ORIGIN)
    assert error.value.code == "auth.delayed"
    quick_world.vault.releases.links.enter(token, code, elsewhere(1))


def test_there_is_no_link_before_the_release_nor_after_a_cancelled_case(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = at_release(quick_world)
    _, _, cora = people(quick_world)
    links = quick_world.vault.releases.links
    with pytest.raises(Conflict) as error:
        links.make(cora.actor, case_id, cora.otp())
    assert error.value.code == "case.state"
    with quick_world.vault.units.write() as unit:
        case = unit.cases.lock(case_id)
        assert case is not None
        now = quick_world.clock.now()
        over = replace(case, state="cancelled", changed_at=now, ended_at=now)
        unit.cases.update(over)
        unit.log.record(Event(EventType.CASE_CANCELLED, cora.actor, changes=changes(case, over)), now)
        unit.commit()
    with pytest.raises(Conflict):
        links.make(cora.actor, case_id, cora.otp())
    assert post.letters == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CSM])
def test_only_who_prepares_handovers_makes_a_link(quick_world: World, role: Role) -> None:
    post_of(quick_world)
    case_id = released(quick_world)
    other = quick_world.human(f"other {role}", role)
    with pytest.raises(Forbidden):
        quick_world.vault.releases.links.make(other.actor, case_id, other.otp())


def test_a_link_takes_a_fresh_factor_and_a_mail_server(quick_world: World) -> None:
    case_id = released(quick_world)
    _, _, cora = people(quick_world)
    links = quick_world.vault.releases.links
    with pytest.raises(Conflict) as error:
        links.make(cora.actor, case_id, cora.otp())
    assert error.value.code == "handover.no_mail"
    post_of(quick_world)
    with pytest.raises(Unauthenticated):
        quick_world.vault.releases.links.make(cora.actor, case_id, "000000")


def test_a_letter_that_nobody_takes_leaves_no_link(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    post.fault = AnchorFailed("mail server: 451 later")
    _, _, cora = people(quick_world)
    with pytest.raises(Unavailable) as error:
        quick_world.vault.releases.links.make(cora.actor, case_id, cora.otp())
    assert error.value.code == "handover.unsent"
    with quick_world.vault.units.read() as unit:
        (kept,) = unit.releases.links(case_id)
    assert (kept.mailed_at, kept.ending) == (None, LinkEnd.UNSENT)
    post.fault = None
    token, code = link(quick_world, case_id, post)
    assert quick_world.vault.releases.links.enter(token, code, ORIGIN) is not None


def test_the_database_holds_neither_token_nor_code(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    visit = quick_world.vault.releases.links.enter(token, code, ORIGIN)
    with quick_world.vault.units.read() as unit:
        (kept,) = unit.releases.links(case_id)
        leaves = b"".join(leaf for _, leaf in unit.census.leaves())
    for secret in (token.expose(), code, visit.expose()):
        assert secret not in repr(kept)
        assert secret.encode() not in leaves
    assert kept.token_hash.encode() not in leaves


def test_the_signatory_acknowledges_once_however_often_it_is_said(quick_world: World) -> None:
    case_id, _, token, visit = opened(quick_world)
    room = quick_world.vault.releases.acknowledging
    for name in ("", " ", "x" * 101):
        with pytest.raises(Invalid):
            room.acknowledge(token, visit, name, ORIGIN)
    first = room.acknowledge(token, visit, f"  {SIGNED} ", ORIGIN)
    quick_world.clock.advance(minutes=1)
    again = room.acknowledge(token, visit, "Somebody Else", ORIGIN)  # the other tab
    assert (first.signed, first.way) == (again.signed, again.way) == (SIGNED, Way.PAGE)
    assert types(quick_world, EventType.HANDOVER_ACKNOWLEDGED) == ["handover.acknowledged"]
    assert room.page(token, visit) is not None
    assert case_id


def test_what_was_acknowledged_is_destroyed_and_closed(quick_world: World) -> None:
    case_id, post, token, visit = opened(quick_world)
    rooms = quick_world.vault.releases
    assert rooms.handed_over.once().closed == 0
    rooms.acknowledging.acknowledge(token, visit, SIGNED, ORIGIN)
    assert rooms.handed_over.once().closed == 1
    assert rooms.handed_over.once().closed == 0
    with quick_world.vault.units.read() as unit:
        case = unit.cases.get(case_id)
        (done,) = unit.destructions.of(case_id)
        labels = {each.label for each in unit.versions.of("111122223333", done.listed[0][0])}
    assert case is not None
    assert (case.state, done.ground, labels) == ("closed", Ground.ACKNOWLEDGED, {VersionLabel.DESTROYED})
    end = rooms.acknowledging.page(token, visit)
    assert end is not None
    assert len(end.destroyed) == 1
    link(quick_world, case_id, post)  # the page is still theirs, and nobody asks for what they said already
    asked, told = post.letters[0], post.letters[-1]
    assert ("confirm" in asked[1], "you confirm" in asked[2]) == (True, True)
    assert "confirm" not in told[1] + told[2]


def test_without_a_word_the_grace_is_warned_of_once_and_ends(quick_world: World) -> None:
    post_of(quick_world)
    case_id = released(quick_world)
    turn = quick_world.vault.releases.handed_over.once
    quick_world.clock.advance(days=22)
    assert turn().warned == 0
    quick_world.clock.advance(days=2)
    assert [turn().warned, turn().warned] == [1, 0]
    assert types(quick_world, EventType.GRACE_ENDING) == ["handover.grace.ending"]
    quick_world.clock.advance(days=6, hours=1)
    assert [turn().closed, turn().closed] == [1, 0]
    with quick_world.vault.units.read() as unit:
        (done,) = unit.destructions.of(case_id)
        assert unit.cases.get(case_id).state == "closed"  # type: ignore[union-attr]  # it is there
    assert done.ground is Ground.GRACE


def test_a_link_that_nobody_opened_ends_and_is_told_of(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    turn = quick_world.vault.releases.handed_over.once
    assert turn().links == 0
    quick_world.clock.advance(days=7)
    assert "has ended" in refused(quick_world, token, code)
    assert [turn().links, turn().links] == [1, 0]
    assert types(quick_world, EventType.LINK_ENDED) == ["handover.link.ended"]
    assert case_id


def test_a_letter_is_entered_instead(quick_world: World) -> None:
    case_id = released(quick_world)
    _, _, cora = people(quick_world)
    work = quick_world.vault.cases.work
    given = {SIGNED_FIELD: SIGNED, CONFIRMED_ON: "2026-11-23", WHERE: "Folder 7"}
    with pytest.raises(Invalid):
        work.attest(cora.actor, case_id, ACKNOWLEDGE, "", given | {CONFIRMED_ON: "2026-12-24"})
    with pytest.raises(Invalid, match="an acknowledgement comes after that"):
        work.attest(cora.actor, case_id, ACKNOWLEDGE, "", given | {CONFIRMED_ON: "2026-11-20"})
    work.attest(cora.actor, case_id, ACKNOWLEDGE, "", given)
    with quick_world.vault.units.read() as unit:
        handed = unit.releases.get(case_id)
    assert handed is not None
    assert (handed.way, handed.signed) == (Way.LETTER, SIGNED)
    assert quick_world.vault.releases.handed_over.once().closed == 1
    quick_world.clock.advance(minutes=1)


def test_another_name_than_the_signatorys_takes_a_reason_and_by_letter_a_second_person(
    quick_world: World,
) -> None:
    case_id = released(quick_world)
    _, abel, cora = people(quick_world)
    work = quick_world.vault.cases.work
    given = {SIGNED_FIELD: "Pat Procurist", CONFIRMED_ON: "2026-11-23", WHERE: "Folder 7"}
    with pytest.raises(Invalid, match="authorised signatory of this case is Maria Example"):
        work.attest(cora.actor, case_id, ACKNOWLEDGE, "", given)
    with pytest.raises(Invalid, match="leave the reason out"):
        work.attest(cora.actor, case_id, ACKNOWLEDGE, "", given | {SIGNED_FIELD: SIGNED, INSTEAD: "ill"})
    why = given | {INSTEAD: "procura, register no. 7"}
    asked = work.attest(cora.actor, case_id, ACKNOWLEDGE, "", why, cora.otp())
    assert asked.done is not None
    assert quick_world.vault.releases.handed_over.once().closed == 0
    work.agree(abel.actor, case_id, ACKNOWLEDGE, "", abel.otp(), asked.done.at)
    end = quick_world.vault.releases.acknowledging.end(cora.actor, case_id)
    assert (end.instead, end.handed and end.handed.signed) == (why[INSTEAD], "Pat Procurist")


def test_another_name_on_the_page_says_why_and_is_flagged(quick_world: World) -> None:
    case_id, _, token, visit = opened(quick_world)
    rooms = quick_world.vault.releases
    with pytest.raises(Invalid) as caught:
        rooms.acknowledging.acknowledge(token, visit, "Pat Procurist", ORIGIN)
    assert [each.pointer for each in caught.value.errors] == ["/instead"]
    rooms.acknowledging.acknowledge(token, visit, "Pat Procurist", ORIGIN, "procura, register no. 7")
    _, _, cora = people(quick_world)
    assert rooms.acknowledging.end(cora.actor, case_id).instead == "procura, register no. 7"
    steps = {each.name: dict(each.evidence) for each in rooms.packs.get(cora.actor, case_id).steps}
    assert steps["acknowledge"]["Why somebody else than the signatory signed"] == "procura, register no. 7"


def test_codes_are_read_out_without_mistakes() -> None:
    assert not set("01ILOU") & set(CODE_ALPHABET)
    assert spelled(" abcd-efgh ") == "ABCDEFGH"
    assert timedelta(0) < VISIT_LASTS


def test_of_many_at_once_one_opens_the_page_and_one_word_counts(world: World) -> None:
    post = post_of(world)
    case_id = released(world)
    token, code = link(world, case_id, post)
    rooms = world.vault.releases

    def enter(number: int) -> Secret[str] | None:
        try:
            return rooms.links.enter(token, code, elsewhere(number))
        except Unauthenticated:
            return None

    with ThreadPoolExecutor(4) as pool:
        visits = [each for each in pool.map(enter, range(4)) if each is not None]
        assert len(visits) == 1
        said = list(
            pool.map(lambda _: rooms.acknowledging.acknowledge(token, visits[0], SIGNED, ORIGIN), range(4))
        )
        assert len({each.acknowledged_at for each in said}) == 1
        closed = sum(turn.closed for turn in pool.map(lambda _: rooms.handed_over.once(), range(2)))
    assert closed == 1
    assert types(world, EventType.HANDOVER_ACKNOWLEDGED, EventType.CREDENTIAL_DESTROYED) == [
        "handover.acknowledged",
        "credential.destroyed",
    ]


def test_a_restore_ends_every_link(quick_world: World) -> None:
    post = post_of(quick_world)
    case_id = released(quick_world)
    token, code = link(quick_world, case_id, post)
    with quick_world.vault.units.write() as unit:
        now = quick_world.clock.now()
        (pair,) = unit.releases.end_all(now)
        told = changes(*pair)
        unit.log.record(Event(EventType.LINK_ENDED, people(quick_world)[2].actor, changes=told), now)
        unit.commit()
    assert "has ended" in refused(quick_world, token, code)
    assert case_id
