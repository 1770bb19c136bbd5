"""The link to the customer's page: made by us, mailed to the signatory, opened once with a code (H9, S15, S22, S30).

Decided here: that link and code go two ways. The mail server takes the link and nobody here ever sees it; whoever makes
it sees the code once and tells it by phone or ticket. A link without its code, a code without its link, one that is not
known, was replaced, used or ended: the same answer in the same time, so that nobody learns which. Five wrong codes end
a link, and wrong tries of one network wait longer each. The token is kept hashed; the code under a key outside the
database, as it is short. The page stays open for an hour in the browser that opened it.

The mail goes out between two transactions: whoever is stopped in between has a link that nobody can open, and makes
another, which ends it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.crypto import chance
from vault.domain.actor import Actor, ActorKind
from vault.domain.case import CaseKind, HandoverState
from vault.domain.event import Event, EventType, Result, stamp
from vault.domain.ids import new_id
from vault.domain.plans.handover import SIGNATORY
from vault.domain.policy import Permission
from vault.domain.release import (
    CODE_ALPHABET,
    CODE_LENGTH,
    CUSTOMER,
    CUSTOMER_NAME,
    TRIES,
    VISIT_LASTS,
    CustomerLink,
    LinkEnd,
    spelled,
)
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import Conflict, Unauthenticated, Unavailable
from vault.ports.anchors import AnchorFailed, LetterRefused
from vault.services.case_ground import about
from vault.services.customer_letter import letter_to
from vault.services.factors import refusal
from vault.services.frozen import require_word
from vault.services.gate import refuse
from vault.services.guessing import note_refusal, reserve, same_network, too_early
from vault.services.links import link_hash

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from vault.crypto.local import ServerKey
    from vault.domain.actor import Origin
    from vault.domain.case import Scene
    from vault.domain.event import Change
    from vault.ports.anchors import Mailer
    from vault.ports.store import Unit
    from vault.services.case_ground import CaseGround

PURPOSE: Final = "handover.code"
_OPENABLE: Final = frozenset({HandoverState.RELEASED, HandoverState.ACKNOWLEDGED, HandoverState.CLOSED})
_NOTHING: Final = (
    "This link and this code do not open anything together. Look at both again: the link is the one in the newest "
    "letter, and the code has eight characters. After five wrong codes a link ends, and you ask us for another."
)
_OVER: Final = {
    LinkEnd.REPLACED: "A newer link was sent since; use that one.",
    LinkEnd.EXPIRED: "This link has ended. Ask us for another, on the ticket or by phone.",
    LinkEnd.GUESSED: "This link has ended after too many wrong codes. Ask us for another.",
    LinkEnd.RESTORED: "This link has ended. Ask us for another.",
    LinkEnd.UNSENT: "This link has ended. Ask us for another.",
}
_USED: Final = (
    "This link was used already, in another browser or more than an hour ago; it opens the page once. "
    "Ask us for another. If that was not you, tell us at once."
)


@dataclass(frozen=True, slots=True, eq=False)
class MadeLink:
    """A link that was mailed, with the code that goes another way; the link's own token is nobody's here."""

    link: CustomerLink
    code: Secret[str]


@dataclass(frozen=True, slots=True)
class CustomerLinks:
    """Use cases on links to customers' pages; `lasts` is how long one is good for being opened."""

    ground: CaseGround
    server_key: ServerKey
    mailer: Mailer | None
    public_url: str
    origin: str
    lasts: timedelta

    def make(self, actor: Actor, case_id: str, otp: str) -> MadeLink:
        """Make a link, end the one before, mail it to the signatory, and give its code, once.

        Raises `Conflict` case.state before the release, handover.no_mail without a mail server, `Unavailable`
        handover.unsent where none took it, and what a missing permission or factor raises.
        """
        now = self.ground.clock.now()
        token, code = chance.token_text(), chance.draw(CODE_ALPHABET, CODE_LENGTH)
        with self.ground.units.write() as unit:
            # whoever may make none at all is told so, whether or not there is such a case
            self.ground.gate.require(unit, actor, Permission.HANDOVER_PREPARE, now)
            scene, _ = self.ground.scene(unit, actor, case_id, now)
            denied = Event(EventType.ACCESS_DENIED, actor, detail=about(scene) | {"asked_for": "a link"})
            require_word(unit, actor, denied, now)
            self.ground.gate.require(
                unit, actor, Permission.HANDOVER_PREPARE, now, customer_id=scene.customer.id
            )
            mailer = self._may_make(unit, scene, denied, now)
            actor = self.ground.factors.check(unit, actor, otp, now, refusal(actor))
            told = _end(unit, unit.releases.live(case_id), LinkEnd.REPLACED, now)
            hashed = link_hash(token)
            link = CustomerLink(
                new_id(),
                case_id,
                hashed,
                self._code_hash(hashed, code),
                scene.given("", SIGNATORY, "email"),
                actor.id,
                now,
                now + self.lasts,
            )
            unit.releases.add_link(link)
            detail = about(scene) | {"link": link.id, "until": stamp(link.until)}
            event = Event(EventType.LINK_MADE, actor, changes=(*told, *changes(None, link)), detail=detail)
            unit.log.record(replace(event, subject=f"handover_link:{link.id}"), now)
            unit.commit()
        return MadeLink(self._mail(actor, scene, link, token, mailer), Secret(code))

    def enter(self, token: Secret[str], code: str, origin: Origin) -> Secret[str]:
        """Open the page with link and code, once; give the visit that the browser keeps.

        Raises `Unauthenticated` handover.link, always alike unless both were right, and `Limited` auth.delayed.
        """
        now = self.ground.clock.now()
        customer = customer_of(origin)
        network = same_network(origin.ip)
        subject = f"handover:{network}"
        hashed = link_hash(token)
        with self.ground.units.write() as unit:
            wait = reserve(unit, subject, now)
            if wait:
                raise too_early(wait, "wrong codes")
            link = unit.releases.lock_link(hashed)
            expected = self._code_hash(hashed, "") if link is None else link.code_hash
            right = hmac.compare_digest(self._code_hash(hashed, spelled(code)), expected)
            if link is None or not right:
                self._count(unit, link, customer, network, now)
                unit.commit()
                raise Unauthenticated("handover.link", _NOTHING)
            if not link.opens(now):
                refused = Event(EventType.LINK_REFUSED, customer, Result.DENIED, detail=_about(link))
                ending = link.ending or (LinkEnd.EXPIRED if link.opened_at is None else None)
                words = _USED if ending is None else _OVER[ending]
                refuse(unit, refused, Unauthenticated("handover.link", words), now)
            visit = chance.token_text()
            opened = replace(link, opened_at=now, visit_hash=link_hash(visit), visit_until=now + VISIT_LASTS)
            unit.releases.update_link(opened)
            unit.guesses.clear(subject)
            event = Event(EventType.LINK_OPENED, customer, changes=changes(link, opened), detail=_about(link))
            unit.log.record(event, now)
            unit.commit()
        return visit

    def _may_make(self, unit: Unit, scene: Scene, denied: Event, now: datetime) -> Mailer:
        case = scene.case
        if case.kind is not CaseKind.HANDOVER or case.state not in _OPENABLE:
            words = f"This {case.kind} is {case.state}; the customer's page is there once every account is released."
            refuse(unit, denied, Conflict("case.state", words, rule="H9"), now)
        if self.mailer is None:
            words = (
                "The settings name no mail server, so no link goes out; enter the signatory's letter instead."
            )
            refuse(unit, denied, Conflict("handover.no_mail", words), now)
        return self.mailer

    def _mail(
        self, actor: Actor, scene: Scene, link: CustomerLink, token: Secret[str], mailer: Mailer
    ) -> CustomerLink:
        """Hand the letter over with no transaction open, and write how that ended."""
        name, asks = scene.given("", SIGNATORY, "name"), scene.case.state == HandoverState.RELEASED
        letter = letter_to(name, token, link, self.public_url, self.origin, asks=asks)
        failed = ""
        try:
            mailer.send((link.sent_to,), letter.subject, letter.text, letter.message_id, letter.html)
        except (LetterRefused, AnchorFailed) as failure:
            failed = failure.words
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            unit.cases.lock(link.case_id)
            kept = unit.releases.lock_link(link.token_hash) or link
            if kept.ended_at is None:
                sent = (
                    replace(kept, ended_at=now, ending=LinkEnd.UNSENT)
                    if failed
                    else replace(kept, mailed_at=now)
                )
                unit.releases.update_link(sent)
                told, kept = changes(kept, sent), sent
            else:
                told = ()
            detail = (
                about(scene) | {"link": link.id, "owner": actor.id} | ({"error": failed} if failed else {})
            )
            result = Result.FAILED if failed else Result.SUCCESS
            unit.log.record(Event(EventType.LINK_MAILED, actor, result, changes=told, detail=detail), now)
            unit.commit()
        if failed:
            words = f"No mail server took the letter to the signatory: {failed}. Make another link once that is mended."
            raise Unavailable("handover.unsent", words)
        return kept

    def _count(
        self, unit: Unit, link: CustomerLink | None, customer: Actor, network: str, now: datetime
    ) -> None:
        """Count a wrong code of a live link, which ends with the fifth; of every other, the network's."""
        refused = Event(EventType.LINK_REFUSED, customer, Result.DENIED)
        if link is None or not link.opens(now):
            note_refusal(unit, refused, network, now)
            return
        counted = replace(link, wrong=link.wrong + 1)
        unit.releases.update_link(counted)
        note_refusal(unit, replace(refused, detail=_about(link)), network, now)
        if counted.wrong >= TRIES:
            told = _end(unit, counted, LinkEnd.GUESSED, now)
            detail = _about(link) | ended_detail(unit, link, LinkEnd.GUESSED)
            event = Event(EventType.LINK_ENDED, customer, Result.DENIED, changes=told, detail=detail)
            unit.log.record(event, now)

    def _code_hash(self, token_hash: str, code: str) -> str:
        return self.server_key.mac(PURPOSE, f"{token_hash}\n{code}".encode()).hex()


def visiting(unit: Unit, token: Secret[str], visit: Secret[str], now: datetime) -> CustomerLink | None:
    """Find the link whose visit goes on in this browser; None for every other, however it differs."""
    link = unit.releases.link_of(link_hash(token))
    if link is None or link.visit_hash is None or not link.shows(now):
        return None
    return link if hmac.compare_digest(link_hash(visit), link.visit_hash) else None


def customer_of(origin: Origin) -> Actor:
    """Make the actor for what was done on a customer's page."""
    return Actor(ActorKind.SYSTEM, CUSTOMER, CUSTOMER_NAME, origin=origin)


def ended_detail(unit: Unit, link: CustomerLink, ending: LinkEnd) -> dict[str, str | int | bool | None]:
    """Say of which case a link ended, and whose turn it is: who makes another."""
    case = unit.cases.get(link.case_id)
    return {
        "ending": ending.value,
        "customer": "" if case is None else case.customer_id,
        "next": Permission.HANDOVER_PREPARE.value,
    }


def _about(link: CustomerLink) -> dict[str, str | int | bool | None]:
    return {"case": link.case_id, "link": link.id}


def _end(unit: Unit, link: CustomerLink | None, ending: LinkEnd, now: datetime) -> tuple[Change, ...]:
    if link is None or link.ended_at is not None:
        return ()
    ended = replace(link, ended_at=now, ending=ending)
    unit.releases.update_link(ended)
    return changes(link, ended)
