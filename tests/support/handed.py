"""Handovers that are at their end: all steps done but those that release, by the back door and told in the log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.world import World
from vault.domain.account import CUSTODY, CustodyEvent
from vault.domain.actor import Role, system_actor
from vault.domain.case import CaseFile, CaseKind, Done, Place, PlaceState, Scene, StepState
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.plans.handover import APN, NEW_EMAIL, PLAN, SIGNATORY
from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_BY, CONFIRMED_ON, RELEASE, RESET, WHERE
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.services.customer_links import CustomerLinks

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.world import Human
    from vault.domain.account import Account
    from vault.domain.outlook import Item

SIGNED = "Maria Example"
NUMBERS = ("111122223333", "111122224444")
LEFT = frozenset({RESET, RELEASE, APN, ACKNOWLEDGE})
CONFIRMATION = {CONFIRMED_BY: SIGNED, CONFIRMED_ON: "2026-11-23", WHERE: "Comment 14 of the ticket"}


@dataclass(slots=True)
class Post:
    """A mail server that keeps what it was given, or takes nothing."""

    letters: list[tuple[tuple[str, ...], str, str]] = field(default_factory=list)
    fault: Exception | None = None

    def send(
        self, to: tuple[str, ...], subject: str, body: str, message_id: str, html: str | None = None
    ) -> str:
        """Keep a letter."""
        if self.fault is not None:
            raise self.fault
        assert message_id
        assert html is not None
        self.letters.append((to, subject, body))
        return "taken"

    @property
    def token(self) -> str:
        """Read the token out of the newest letter."""
        return self.letters[-1][2].partition("/handover/")[2].split()[0]


def post_of(world: World) -> Post:
    """Give a world's handovers a mail server."""
    post = Post()
    rooms = world.vault.releases
    world.vault = replace(world.vault, releases=replace(rooms, links=replace(rooms.links, mailer=post)))
    return post


def at_release(world: World, *numbers: str) -> str:
    """Take accounts to where two people release them; give the case."""
    numbers = numbers or NUMBERS[:1]
    accounts = [_account(world, number) for number in numbers]
    now, case_id = world.clock.now(), new_id()
    actor = system_actor("test")
    case = CaseFile(
        case_id, CaseKind.HANDOVER, accounts[0].customer_id, "T-6000", "in_progress", actor.id, now, now
    )
    places = tuple(
        Place(case_id, each.id, position, PlaceState.IN_PROGRESS, now, now, "held")
        for position, each in enumerate(accounts)
    )
    with world.vault.units.write() as unit:
        unit.cases.add(case, places)
        told = [*changes(None, case), *(change for each in places for change in changes(None, each))]
        for each in accounts:
            before = unit.accounts.lock(each.id)
            assert before is not None
            moved = replace(
                before, custody=CUSTODY.transitions[before.custody, CustodyEvent.HANDOVER_STARTED]
            )
            unit.accounts.update(moved)
            told += changes(before, moved)
        scene = unit.cases.scene(case)
        done = tuple(_done(scene, now))
        unit.cases.put(done)
        told += [change for each in done for change in changes(None, each)]
        for start in range(0, len(told), 200):
            detail = {"case": case_id, "customer": case.customer_id, "kind": "handover", "what": "test"}
            piece = tuple(told[start : start + 200])
            unit.log.record(Event(EventType.CASE_CHANGED, actor, changes=piece, detail=detail), now)
        unit.commit()
    return case_id


def _account(world: World, number: str) -> Account:
    with world.vault.units.read() as unit:
        known = unit.accounts.get(number)
    return world.held(number) if known is None else known


def _done(scene: Scene, now: datetime) -> list[Done]:
    given = {
        SIGNATORY: {"name": SIGNED, "email": "maria@customer.example"},
        NEW_EMAIL: {"email": "root@customer.example"},
    }
    return [
        Done(scene.case.id, number, step.name, StepState.DONE, now, "test", given.get(step.name, {}))
        for step in PLAN.steps
        if step.name not in LEFT
        for number in (scene.live if step.per_account else ("",))
        if step.applies(scene.seen(number))
    ]


def people(world: World) -> tuple[Human, Human, Human]:
    """Give an operator, an approver and a customer success manager."""
    return (
        world.human("olga", Role.OPERATOR),
        world.human("abel", Role.APPROVER),
        world.human("cora", Role.CSM),
    )


def confirm(world: World, case_id: str, number: str) -> Item:
    """Prove our password dead by the signatory's word, said by two."""
    olga, abel, _ = people(world)
    work = world.vault.cases.work
    work.attest(olga.actor, case_id, RESET, number, CONFIRMATION, olga.otp())
    return work.agree(abel.actor, case_id, RESET, number, abel.otp())


def release(world: World, case_id: str, number: str) -> Item:
    """Release one account, by two."""
    olga, abel, _ = people(world)
    work = world.vault.cases.work
    work.attest(olga.actor, case_id, RELEASE, number, {}, olga.otp())
    return work.agree(abel.actor, case_id, RELEASE, number, abel.otp())


def released(world: World, *numbers: str) -> str:
    """Release accounts of one handover; give the case."""
    case_id = at_release(world, *numbers)
    for number in numbers or NUMBERS[:1]:
        confirm(world, case_id, number)
        release(world, case_id, number)
    return case_id


def link(world: World, case_id: str, post: Post) -> tuple[Secret[str], str]:
    """Make a link; give its token and its code."""
    _, _, cora = people(world)
    made = links(world).make(cora.actor, case_id, cora.otp())
    return Secret(post.token), made.code.expose()


def links(world: World) -> CustomerLinks:
    """Give the use cases on links."""
    return world.vault.releases.links


DAY = timedelta(days=1)
