"""Four weeks of a vault's life for an auditor to look at: ordinary days, a night, a refusal, and a stranger at AWS.

Everything goes through the use cases, on a clock that is set by hand; AWS's records are written where CloudTrail would.
A file and a witness keep checkpoints, as the auditor would have it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.stage import NUMBER
from tests.services.places import WitnessKeeper
from tests.support.places import ours, with_outside
from vault.adapters.anchors.file import FileAnchor
from vault.adapters.cloudtrail.folder import Folder
from vault.cli.admin.demo.cloudtrail import CloudTrail
from vault.domain.actor import Role
from vault.domain.checkout import Decision
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.errors import VaultError
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.people import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.browser.stage import Stage
    from tests.support.people import House, Member

WEB_SHOP: Final = "210987654321"
PAYER: Final = "345678901234"
TASKS: Final = (
    (NUMBER, "BILL_ROOT", "RV-2101", "Change the payment currency, as the customer asked."),
    (WEB_SHOP, "IAM_RESTORE", "RV-2117", "Give the only administrator their permissions back."),
    (PAYER, "BILL_TAX_INVOICE", "RV-2123", "Fetch the tax invoices of the last quarter."),
)
DAYS: Final = 28
STRANGER: Final = 20
"""The day on which somebody whom nobody knows signs in to the payer."""


@dataclass(slots=True, eq=False)
class Month:
    """The four weeks, told on a stage; afterwards it is the morning after the last of them."""

    stage: Stage
    otto: Member
    made: Outside
    night: str = ""
    """The checkout of the night."""
    day_of_the_night: str = ""

    def live(self) -> None:
        """Live through it."""
        clock = self.stage.house.world.clock
        begin = clock.now().replace(hour=0, minute=0)
        for day in range(1, DAYS):
            clock.at = max(clock.at, begin + timedelta(days=day, hours=9))
            self._pass(0)
            if clock.at.weekday() < 5:
                # the account that a stranger signed in to opens for nothing but rotation while that is not explained
                number, reason, ticket, why = TASKS[day % (3 if day < STRANGER else 2)]
                self._work(number, reason, ticket, why)
            if day == 11:
                self._tonight(begin + timedelta(days=day + 1, hours=2, minutes=40))
            if day == 16:
                self._try_too_much()
            if day == STRANGER:
                at = begin + timedelta(days=day, hours=23, minutes=12)
                self.made.trail.signed_in(PAYER, at, ip="198.51.100.77", mfa=False)
            self._end_of_day()
        clock.at = begin + timedelta(days=DAYS, hours=8, minutes=30)
        self._end_of_day()

    def _pass(self, minutes: int) -> None:
        """Let time pass; the worker publishes meanwhile."""
        self.stage.house.world.clock.advance(minutes=minutes)
        self.stage.house.vault.publishing.once()

    def _end_of_day(self) -> None:
        vault, clock = self.stage.house.vault, self.stage.house.world.clock
        clock.advance(minutes=30)
        vault.sweep.once()
        vault.days.once()
        vault.reconciliation.once()
        vault.publishing.once()
        while vault.indexing.once():
            continue

    def _work(self, number: str, reason: str, ticket: str, why: str) -> str:
        """Use root for a task; a colleague rotates, and the first verifies."""
        olga, amir = self.stage.members[Role.OPERATOR], self.stage.members[Role.APPROVER]
        done = self._use(olga, amir, number, reason, ticket, why)
        self._rotate(self.otto, number, olga)
        return done

    def _use(self, who: Member, approver: Member, number: str, reason: str, ticket: str, why: str) -> str:
        house = self.stage.house
        vault, clock = house.vault, house.world.clock
        actor = house.actor(who)
        asked = vault.asking.ask(actor, Ask(number, reason, ticket, why))
        self._pass(4)
        if asked.approvals_needed:
            word = Word(Decision.APPROVE, "The ticket says so.", content_hash=asked.content_hash)
            vault.approvals.decide(house.actor(approver), asked.id, word, approver.code())
        vault.checkouts.step_up(actor, asked.id, who.code())
        vault.reveals.password(actor, asked.id)
        vault.reveals.code(actor, asked.id)
        self.made.trail.signed_in(number, clock.now())
        self._pass(11)
        vault.checkouts.check_in(actor, asked.id)
        return asked.id

    def _rotate(self, who: Member, number: str, verifier: Member | None) -> None:
        house = self.stage.house
        vault, clock = house.vault, house.world.clock
        self._pass(8)
        actor = house.actor(who)
        asked = vault.asking.ask(actor, Ask(number, "CRED_ROTATE", "RV-2000", "Rotate what was disclosed."))
        vault.checkouts.step_up(actor, asked.id, who.code())
        planned = vault.rotations.plan(actor, asked.id, PartKind.PASSWORD)
        vault.rotations.display(actor, planned.id)
        self.made.trail.password_updated(number, clock.now())
        vault.attestations.attest(actor, planned.id, Outcome.ACCEPTED)
        vault.checkouts.check_in(actor, asked.id)
        if verifier is not None:
            self._pass(3)
            words = "Signed in with the new password."
            vault.attestations.verify(house.actor(verifier), planned.id, words)

    def _tonight(self, at: datetime) -> None:
        self.stage.house.world.clock.at = at
        self._pass(0)
        self.day_of_the_night = at.date().isoformat()
        amir = self.stage.members[Role.APPROVER]
        why = "The web shop's only administrator is locked out, and it is down."
        self.night = self._use(self.otto, amir, WEB_SHOP, "IAM_RESTORE", "RV-2139", why)
        self._rotate(self.otto, WEB_SHOP, None)

    def _try_too_much(self) -> None:
        house = self.stage.house
        actor = house.actor(self.stage.members[Role.CSM])
        for number in (NUMBER, WEB_SHOP, PAYER):
            with pytest.raises(VaultError):
                house.vault.asking.ask(actor, Ask(number, "BILL_ROOT", "RV-2150", "Only to have a look."))


@dataclass(slots=True)
class Outside:
    """What watches a house from outside; `furnish` puts it in."""

    directory: Path
    trail: CloudTrail
    keepers: list[WitnessKeeper] = field(default_factory=list)

    @property
    def witness(self) -> WitnessKeeper:
        """The auditor's witness."""
        return self.keepers[0]

    def furnish(self, house: House) -> None:
        """Give a house a file, a witness and AWS's records."""
        keeper = WitnessKeeper(house.world, self.directory / "witness")
        keeper.up()
        self.keepers.append(keeper)
        anchors = (FileAnchor(self.directory / "checkpoints", ours(house.world)), keeper.anchor(house.world))
        settings = house.vault.settings
        settings = replace(
            settings, cloud=replace(settings.cloud, folders=(str(self.directory / "cloudtrail"),))
        )
        vault = with_outside(replace(house.world, vault=house.vault), *anchors, settings=settings).vault
        found = Folder(self.directory / "cloudtrail")
        house.vault = replace(
            vault,
            reconciliation=replace(vault.reconciliation, sources=(found,)),
            signin=house.vault.signin,
            enrolment=house.vault.enrolment,
        )


@contextmanager
def furnished(directory: Path) -> Iterator[Outside]:
    """Make places outside, and close them afterwards."""
    (directory / "cloudtrail").mkdir()
    outside = Outside(directory, CloudTrail(directory / "cloudtrail"))
    try:
        yield outside
    finally:
        for keeper in outside.keepers:
            keeper.down()


def otto(stage: Stage) -> Member:
    """Appoint a second operator."""
    house = stage.house
    proposer, confirmer = (house.actor(admin) for admin in stage.admins)
    wish = Wish(Role.OPERATOR)
    invited = house.vault.people.invite(proposer, "otto@msp.example", "Otto Brandt", (wish,))
    member = house.enrol(invited)
    house.vault.people.confirm_grant(confirmer, invited.grants[0].id, stage.admins[1].code())
    return member
