"""Cases as pages: the boards, one case of any kind, its end, and the calendar.

Decided here: nothing but how a filter is read, what stands under which heading, and how many accounts a page has;
what is not a known choice does not narrow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import redirect, request, url_for

from vault.domain.account import Custody
from vault.domain.case import CaseKind, CaseState, HandoverState
from vault.domain.outlook import Standing
from vault.domain.plans.move import REQUEST
from vault.domain.policy import Permission
from vault.errors import Invalid, VaultError
from vault.ports.cases import CaseFilter
from vault.ports.store import Slice
from vault.services.case_board import MINE, Wanted, next_day
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui import words_cases
from vault.web.ui.forms import Form
from vault.web.ui.forms_cases import CancelForm
from vault.web.ui.site import INVALID, blueprint, page, refused
from vault.web.ui.upkeep import asked_for, choice, customers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.account import Account
    from vault.domain.case import Place, Step
    from vault.domain.closure import Closure
    from vault.domain.outlook import Item
    from vault.services.case_calendar import CaseDay
    from vault.services.case_views import CaseWhole

PAGE: Final = 50
ACCOUNTS: Final = 25
"""Accounts on one page of a case."""
PATHS: Final = {
    "onboarding": CaseKind.ONBOARDING,
    "handovers": CaseKind.HANDOVER,
    "closures": CaseKind.CLOSURE,
    "moves": CaseKind.MOVE,
}
TURNS: Final = (
    Permission.ONBOARDING_MANAGE,
    Permission.HANDOVER_PREPARE,
    Permission.HANDOVER_CARRY_OUT,
    Permission.CLOSURE_MANAGE,
    Permission.MOVE_MANAGE,
    Permission.CASE_AGREE,
    Permission.MOVE_AGREE,
)
_SETTLED: Final = frozenset({Standing.DONE, Standing.WAIVED})
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Group:
    """What waits under one step: for the whole case, or for some of its accounts."""

    step: Step
    items: tuple[Item, ...]
    mine: bool

    @property
    def first(self) -> Item:
        """What has waited longest."""
        return self.items[0]


@dataclass(frozen=True, slots=True)
class Row:
    """One account of a case with its steps, by section."""

    account: Account
    place: Place
    sections: tuple[tuple[str, tuple[Item, ...]], ...]
    done: int
    steps: int


@blueprint.get("/cases")
@needs(Permission.CASE_READ)
def case_list() -> Response:
    """Show the cases of every kind."""
    return _board(None)


@blueprint.get("/cases/<any('onboarding', 'handovers', 'closures', 'moves'):kind>")
@needs(Permission.CASE_READ)
def case_board(kind: str) -> Response:
    """Show the cases of one kind."""
    return _board(PATHS[kind])


@blueprint.get("/cases/calendar")
@needs(Permission.CASE_READ)
def case_calendar() -> Response:
    """Show what is booked on which day of a month, and which days are free for whom."""
    calendar, who = the_vault().cases.calendar, actor()
    asked, _ = asked_for("month")
    today = calendar.days(who, None, None).today
    try:
        first = date.fromisoformat(f"{asked['month']}-01") if asked["month"] else today.replace(day=1)
        found = calendar.days(who, first, None)
    except (ValueError, Invalid):
        first = today.replace(day=1)
        found = calendar.days(who, first, None)
    last = found.days[-1].day
    return page(
        "ui/case_calendar.html",
        found=found,
        first=first,
        before=(first - _DAY).replace(day=1),
        after=last + _DAY,
        blanks=first.weekday(),
        rows=_alike(found.days, found.today),
        told=words_cases,
    )


@blueprint.get("/cases/<uuid:case_id>")
@needs(Permission.CASE_READ)
def case_page(case_id: object) -> Response:
    """Show one: where it waits, and its steps."""
    return _case(str(case_id), Form(formdata=None), 200)


@blueprint.post("/cases/<uuid:case_id>/cancel")
@needs(Permission.CASE_READ)
def case_cancel(case_id: object) -> AnyResponse:
    """End it before its work is done."""
    form, name = CancelForm(), str(case_id)
    if not form.validate():
        return _case(name, form, INVALID)
    try:
        the_vault().cases.work.cancel(actor(), name, form.why.data)
    except VaultError as error:
        return refused(error, form, lambda status: _case(name, form, status))
    return redirect(url_for("ui.case_page", case_id=name), 303)


@blueprint.get("/cases/<uuid:case_id>/cancel")
@needs(Permission.CASE_READ)
def case_cancel_back(case_id: object) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.case_page", case_id=case_id), 303)


def _alike(days: Iterable[CaseDay], today: date) -> list[tuple[CaseDay, date]]:
    """Give the days that are worth a line, those that follow each other and are alike as one, each with its last."""
    found: list[tuple[CaseDay, date]] = []
    for day in days:
        if not day.booked and (day.day < today or (day.closed and not day.holiday)):
            continue
        before, last = found[-1] if found else (None, day.day)
        follows = day.day - last == _DAY and today not in {day.day, last}
        if before is not None and follows and _looks(before) == _looks(day):
            found[-1] = (before, day.day)
        else:
            found.append((day, day.day))
    return found


def _looks(day: CaseDay) -> object:
    """Say how a day is shown; none is like another on which something is booked, or that has a name."""
    if day.booked or day.holiday:
        return day.day
    return tuple(None if each is None else each.why for each in (day.closed, day.member, day.payer))


def groups(whole: CaseWhole) -> tuple[list[Group], list[Group]]:
    """Give what waits for the reader, and what waits for others, by step, each in the order of its waiting."""
    mine = {(each.step.name, each.account_id) for each in whole.mine}
    found: dict[tuple[str, bool], list[Item]] = {}
    for item in whole.waits:
        found.setdefault((item.step.name, (item.step.name, item.account_id) in mine), []).append(item)
    made = [Group(items[0].step, tuple(items), is_mine) for (_, is_mine), items in found.items()]
    return [each for each in made if each.mine], [each for each in made if not each.mine]


def by_section(items: Iterable[Item]) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    """Put items under the headings of their steps, in the plan's order."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.step.section or "Work", []).append(item)
    return tuple((name, tuple(each)) for name, each in found.items())


def _board(kind: CaseKind | None) -> Response:
    vault, who = the_vault(), actor()
    asked, given = asked_for("customer", "state", "turn", "show", "account")
    is_open = {"all": None, "ended": False}.get(asked["show"], True)
    states = set(CaseState) | set(HandoverState)
    state = asked["state"] if asked["state"] in states else None
    if state in {CaseState.DONE, CaseState.CANCELLED, HandoverState.CLOSED}:
        is_open = None
    turn = MINE if asked["turn"] == MINE else choice(Permission, asked["turn"])
    account = asked["account"].replace(" ", "") or None
    cases = CaseFilter(kind, asked["customer"] or None, account, state, is_open)
    status, error = 200, None
    try:
        found = vault.cases.board.page(who, Wanted(cases, turn), Slice(PAGE, request.args.get("cursor")))
    except Invalid as refusal:
        status, error = status_of(refusal), refusal
        found = vault.cases.board.page(who, Wanted(cases, turn), Slice(PAGE))
    counts: Counter[str] = Counter()
    for (each, name), count in found.counts.items():
        counts[name if kind is not None else each] += count if kind in {None, each} else 0
    here = request.path
    following = None if found.next is None else f"{here}?{urlencode({**given, 'cursor': found.next})}"
    return page(
        "ui/cases.html",
        status,
        kind=kind,
        here=here,
        found=found,
        error=error,
        asked=asked,
        given=given,
        counts=counts,
        states=_states(kind, counts),
        next_url=following,
        customers=customers(),
        turns=[(MINE, "Mine"), *_turns()],
        opens=[each for each in vault.cases.reading.kinds(who) if kind in {None, each}],
        told=words_cases,
    )


def _states(kind: CaseKind | None, counts: Counter[str]) -> list[str]:
    if kind is None:
        return []
    known: Sequence[str] = list(HandoverState) if kind is CaseKind.HANDOVER else list(CaseState)
    return [each for each in known if counts[each]]


def _turns() -> list[tuple[str, str]]:
    """Give whose turn it may be, by role; the second word apart."""
    policy, found = the_vault().policy, []
    for each in TURNS:
        second = each in {Permission.CASE_AGREE, Permission.MOVE_AGREE}
        who = words_cases.whose(each, policy).capitalize()
        what = "second word" if second else words_cases.TURN[each]
        found.append((each.value, f"{who}: {what}"))
    return found


def _case(case_id: str, form: Form, status: int) -> Response:
    vault = the_vault()
    whole = vault.cases.reading.whole(actor(), case_id)
    asked, given = asked_for("show", "q", "page")
    rows, pages, at, count = _rows(whole, asked)
    mine, others = groups(whole)
    here = url_for("ui.case_page", case_id=case_id)
    return page(
        "ui/case.html",
        status,
        whole=whole,
        case=whole.scene.case,
        customer=whole.scene.customer,
        stages=words_cases.stages(whole),
        mine=mine,
        others=others,
        sections=by_section(each for each in whole.items if not each.account_id),
        legend=_legend(whole),
        closings=_closings(whole, rows),
        target=target_of(whole),
        day=next_day(whole.scene),
        rows=rows,
        count=count,
        pages=pages,
        at=at,
        here=here,
        asked=asked,
        given=given,
        form=form,
        ending=form if isinstance(form, CancelForm) else CancelForm(formdata=None),
        told=words_cases,
    )


def _legend(whole: CaseWhole) -> dict[str, int]:
    """Give each step that accounts have its number, in the plan's order."""
    used = {each.step.name for each in whole.items if each.account_id}
    names = [each.name for each in whole.plan.steps if each.name in used]
    return {name: number for number, name in enumerate(names, 1)}


def _closings(whole: CaseWhole, rows: Sequence[Row]) -> dict[str, Closure]:
    """Give the closing of each account of one page that AWS closed."""
    if whole.scene.case.kind is not CaseKind.CLOSURE:
        return {}
    closures, who = the_vault().cases.closures, actor()
    closed = (row.account.id for row in rows if row.account.custody in {Custody.CLOSED, Custody.DEAD})
    found = {number: closures.of_account(who, number).last for number in closed}
    return {number: last for number, last in found.items() if last is not None}


def target_of(whole: CaseWhole) -> str:
    """Name the customer that accounts move to, as far as the reader sees them; empty where none do."""
    ddi = whole.scene.given("", REQUEST, "to") if whole.scene.case.kind is CaseKind.MOVE else ""
    if not ddi:
        return ""
    near = the_vault().customers.page(actor(), ddi, Slice(PAGE)).items
    return next((f"{each.name} ({ddi})" for each in near if each.ddi == ddi), ddi)


def _rows(whole: CaseWhole, asked: dict[str, str]) -> tuple[list[Row], int, int, int]:
    """Give one page of accounts with their steps: all, those that wait, or those that wait for the reader."""
    items: dict[str, list[Item]] = {}
    for each in whole.items:
        items.setdefault(each.account_id, []).append(each)
    waiting = {each.account_id for each in (whole.mine if asked["show"] == MINE else whole.waits)}
    text = asked["q"].replace(" ", "").lower()
    chosen = [
        place
        for place in whole.scene.places
        if (asked["show"] not in {MINE, "waits"} or place.account_id in waiting)
        and (
            not text
            or text
            in f"{place.account_id}{whole.scene.accounts[place.account_id].name}".replace(" ", "").lower()
        )
    ]
    pages = max(1, -(-len(chosen) // ACCOUNTS))
    typed = asked["page"]
    at = min(pages, max(1, int(typed))) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 1  # noqa: PLR2004 - no case has so many pages
    found = []
    for place in chosen[(at - 1) * ACCOUNTS : at * ACCOUNTS]:
        mine = items.get(place.account_id, [])
        done = sum(each.standing in _SETTLED for each in mine)
        found.append(Row(whole.scene.accounts[place.account_id], place, by_section(mine), done, len(mine)))
    return found, pages, at, len(chosen)
