"""Accounts that become another customer's: one that moved, and who reads the time before; one that waits (D1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.cli.admin.demo.casework import Paper
from vault.cli.admin.demo.stage import refused
from vault.cli.admin.demo.world import HARBORVIEW, LUMEN, MOVED, WELCOMED
from vault.domain.actor import Role
from vault.domain.days_of_business import d1_window, earliest_move
from vault.domain.plans import move as plan
from vault.ports.store import EntryFilter, Slice
from vault.services.moves import Wish

if TYPE_CHECKING:
    from datetime import date, datetime

    from vault.cli.admin.demo.cast import Player
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground

MOST = 200


@dataclass(frozen=True, slots=True)
class Moving:
    """A move that has its day, and the auditor of the customer whose the account was."""

    paper: Paper
    guest: Player


def ask(act: Act, guest: Player, day: datetime) -> Moving:
    """Ask for a move on the day of the handover, with the fee where that is outside a quarter's window."""
    manager, admin = act.cast.of(Role.CUSTODIAN), act.cast.of(Role.ADMIN)
    moves_on = act.vault.calendars.around(day).day(day)
    with act.stage.step(f"{HARBORVIEW.name} gives {MOVED.name} to {LUMEN.name}: a move is asked for") as told:
        paper = _asked(act, manager, MOVED, moves_on, "RV-1911")
        told(f"for {moves_on:%d %B}, more than 14 business days ahead")
    if moves_on not in act.vault.calendars.windows:
        with act.stage.step("Its day is in no quarter's window: two people record the approved fee") as told:
            fee = {
                "amount": "500 USD",
                "by": "Iris Lindholm of Lumen Pictures",
                "where": "Her mail of today, on the ticket.",
            }
            paper.both(manager, admin, plan.FEE, None, fee)
            told(f"{manager.part.name} and {admin.part.name}, each with a fresh code")
    return Moving(paper, guest)


def carry_out(act: Act, moving: Moving) -> None:
    """Move the account on its day; who was its customer's goes on reading the time before, and nothing after."""
    manager, admin, vault = act.cast.of(Role.CUSTODIAN), act.cast.of(Role.ADMIN), act.vault
    before = _read(act, moving.guest)
    with act.stage.step(f"Two people move {MOVED.name}, on its day") as told:
        moving.paper.both(manager, admin, plan.MOVE)
        owner = vault.accounts.get(manager.actor(vault), MOVED.number).account.customer_id
        if owner != act.customer(LUMEN).id:
            raise AssertionError(f"{MOVED.name} is not {LUMEN.name}'s")
        told("sight follows at once; no ciphertext is touched")
    act.clock.advance(60)
    checkout = act.lease(act.cast.of(Role.OPERATOR), MOVED, "CRED_ROTATE", "Rotate it for its new customer.")
    rotation = act.rotate_password(act.cast.of(Role.OPERATOR), MOVED, checkout)
    act.check_in(act.cast.of(Role.OPERATOR), checkout)
    act.verify(act.cast.of(Role.OPERATOR, 1), (rotation,))
    words = (
        f"{moving.guest.part.name}, who audits {HARBORVIEW.name} alone, reads the time before and none after"
    )
    with act.stage.step(words) as told:
        now, everything = _read(act, moving.guest), _read(act, act.cast.of(Role.AUDITOR))
        if not before < now < everything or len(now - before) > 3:  # noqa: PLR2004 - both words, and the move
            raise AssertionError(f"{len(before)}, then {len(now)} of {len(everything)} entries")
        who = moving.guest.actor(vault)
        refused("not_found", lambda: vault.accounts.get(who, MOVED.number))
        told(f"{len(now)} of {len(everything)} entries of the account, and the account itself no more")


def wait(act: Act) -> None:
    """Ask for a move in the next window of a quarter; it waits for its day."""
    csm, now = act.cast.of(Role.CSM), act.clock.now()
    calendar, windows = act.vault.calendars.around(now), act.vault.calendars.windows
    earliest = earliest_move(now, calendar)
    window = None if earliest is None else d1_window(earliest, windows, calendar)
    if earliest is None or window is None:
        raise AssertionError("the calendar knows the years to come")
    day = max(earliest, window[0])
    with act.stage.step(f"{csm.part.name} asks for {WELCOMED.name} to move to {LUMEN.name} as well") as told:
        _asked(act, csm, WELCOMED, day, "RV-2077")
        told(f"it waits for {day:%d %B}, in the window from {window[0]:%d} to {window[1]:%d %B}")


def _asked(act: Act, who: Player, ground: Ground, day: date, ticket: str) -> Paper:
    """Open a move to the other customer, with the word of both."""
    now = act.clock.now()
    today = act.vault.calendars.around(now).day(now).isoformat()
    wish = Wish(LUMEN.ddi, day.isoformat(), today, "Paul Anders", ticket)
    paper = Paper(act, act.vault.cases.moves.ask(who.actor(act.vault), ground.number, wish))
    for step, name, domain in (
        (plan.CONSENT, "Paul Anders", "harborview.example"),
        (plan.ACCEPTANCE, "Iris Lindholm", "lumen.example"),
    ):
        word = {"name": name, "email": f"{name.split()[0].lower()}@{domain}", "given": today}
        paper.say(who, step, None, word | {"where": f"The signed letter, on ticket {ticket}."})
    return paper


def _read(act: Act, who: Player) -> set[int]:
    """Give the indexes of the moved account's entries that somebody reads."""
    actor = who.actor(act.vault)
    page = act.vault.trail.page(actor, EntryFilter(account_id=MOVED.number), Slice(MOST), to_the_end=True)
    return {each.index for each in page.items}
