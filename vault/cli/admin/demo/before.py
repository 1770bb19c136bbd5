"""What began before the handover, and what became of it: closures, moves and onboardings take weeks and months.

Three chapters: fourteen weeks ago, the week before the handover, and the day of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.cli.admin.demo import closings, departing, movings, welcome
from vault.cli.admin.demo.cast import enable_machine, invite_guest, sign_in
from vault.cli.admin.demo.farewell import EARLY
from vault.cli.admin.demo.months import pass_days
from vault.cli.admin.demo.world import HARBOR, HARBORVIEW, LUMEN, WELCOMED
from vault.domain.actor import Role, Scope, ScopeKind
from vault.services.people import Wish

if TYPE_CHECKING:
    from datetime import datetime

    from vault.cli.admin.demo.aws.state import Cloud
    from vault.cli.admin.demo.casework import Paper
    from vault.cli.admin.demo.movings import Moving
    from vault.cli.admin.demo.scenes import Act
    from vault.domain.hygiene import Wanted


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun and is not over."""

    onboarding: Paper
    moving: Moving


def three_months_ago(act: Act, cloud: Cloud, day: datetime) -> Begun:
    """Begin a closure, a move and an onboarding."""
    act.stage.scene("Two customers, fourteen weeks ago")
    act.enlist((HARBORVIEW, LUMEN))
    scope = Scope(ScopeKind.CUSTOMER, act.customer(HARBORVIEW).id)
    wish = Wish(Role.AUDITOR, scope, day + timedelta(days=1))
    guest = invite_guest(act.vault, act.clock, act.stage, act.cast, wish)
    act.register(HARBOR)
    for ground in HARBOR:
        act.take_in(ground)
    act.vault.publishing.once()
    act.stage.scene("An account is closed")
    closings.close_as_root(act, cloud)
    act.stage.scene("An account shall move, and one shall come")
    moving = movings.ask(act, guest, day)
    return Begun(welcome.ask_for(act, cloud, WELCOMED, "RV-1915"), moving)


def a_week_before(act: Act, begun: Begun, cloud: Cloud, wanted: Wanted, day: datetime) -> None:
    """See what time ended, and take the account over that came."""
    act.stage.scene("Three months later")
    with act.stage.step("Days pass; what time ends is written down") as told:
        pass_days(act, day - EARLY - timedelta(days=2))
        told(f"it is {act.clock.now():%d %B %Y}")
    everybody = (*act.cast.players.values(), begun.moving.guest)
    sign_in(act.vault, act.stage, everybody, "Everybody signs in: tokens of before ended after ninety days")
    enable_machine(act.vault, act.stage, act.cast)
    closings.see_dead(act)
    act.stage.scene("An account comes into custody")
    welcome.take_over(begun.onboarding, cloud, wanted)
    pass_days(act, day - EARLY)


def the_same_day(act: Act, begun: Begun, cloud: Cloud) -> None:
    """Move and close what has its day, and begin what waits for somebody since."""
    act.stage.scene("On the same day")
    movings.carry_out(act, begun.moving)
    closings.close_by_vault(act, cloud)
    movings.wait(act)
    departing.begin(act)
    welcome.wait_for_the_customer(act, cloud)
