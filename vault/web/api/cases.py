"""Cases of every kind: the board, one case, its steps and the words on them, its end, and the calendar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from flask import request
from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.errors import FieldError, VaultError
from vault.ports.cases import CaseFilter
from vault.ports.store import Slice
from vault.services.case_board import Wanted
from vault.services.healths import bad_cursor
from vault.web.api.names import customer_id_of
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.base import Items, Resource
from vault.web.api.schemas.case_days import CaseCalendarQuery, CaseCalendarResource
from vault.web.api.schemas.case_steps import PreviewResource, StepAnswer, StepItem, StepSaid, StepWord
from vault.web.api.schemas.cases import (
    CaseBoardResource,
    CaseCancelling,
    CaseCount,
    CaseQuery,
    CaseResource,
    CaseStepQuery,
    CaseWhole,
    KindQuery,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders
from vault.web.requests import parse

if TYPE_CHECKING:
    from vault.domain.case import CaseKind
    from vault.domain.outlook import Item
    from vault.services.case_board import BoardCase, BoardOfCases
    from vault.services.case_views import CaseWhole as Whole

WORD_PROBLEMS: Final[Problems] = {
    401: ("auth.refused",),
    403: ("policy.denied", "policy.second_person"),
    409: (
        "case.state",
        "case.busy",
        "case.rule",
        "case.account",
        "approval.changed",
        "otp.used",
    ),
    422: ("case.evidence",),
    423: ("frozen", "review.due"),
    429: ("auth.delayed",),
    503: ("case.unavailable",),
}
"""What a word on a step may be refused with."""
AGAIN: Final[dict[str, Callable[[str], Resource]]] = {}
"""How a repeated request of a kind's own route is answered, by operation; all others with the case, or the step."""


@operation("GET", "/cases", Permission.CASE_READ, problems={422: ("cursor.invalid",)})
def list_cases(sent: CaseQuery) -> CaseBoardResource:
    """List cases within your sight, each with where it waits, on whom, and since when.

    Open ones come first that wait for you, then by how long the oldest step has waited; cases that ended, newest first.
    """
    found = _found(sent.kind, sent, sent.turn)
    return CaseBoardResource(
        items=_resources(found.items),
        counts=[
            CaseCount(kind=kind, state=state, count=count)
            for (kind, state), count in sorted(found.counts.items())
        ],
        next=found.next,
    )


@operation("GET", "/cases/calendar", Permission.CASE_READ)
def read_case_calendar(sent: CaseCalendarQuery) -> CaseCalendarResource:
    """Read the days on which accounts are handed over and moved: what is booked, what is free for whom, why not."""
    return CaseCalendarResource.of(the_vault().cases.calendar.days(actor(), sent.since, sent.until))


@operation("GET", "/cases/<case_id>", Permission.CASE_READ)
def read_case(case_id: str) -> CaseWhole:
    """Read a case with its accounts."""
    return shown(case_id)


@operation("GET", "/cases/<case_id>/steps", Permission.CASE_READ, problems={422: ("cursor.invalid",)})
def list_case_steps(case_id: str, sent: CaseStepQuery) -> Items[StepItem]:
    """List the steps of a case as they stand, in the plan's order; of a case that ended, what was done."""
    found = the_vault().cases.reading.whole(actor(), case_id)
    waits = {None: found.items, "true": found.waits, "mine": found.mine}[sent.waits]
    wanted = [
        each
        for each in waits
        if sent.account_id in {None, each.account_id} and sent.step in {None, each.step.name}
    ]
    first = _position(sent.cursor)
    part = wanted[first : first + sent.limit]
    more = first + len(part) < len(wanted)
    return Items[StepItem](
        items=[_item(found, each) for each in part], next=str(first + len(part)) if more else None
    )


@operation("POST", "/cases/<case_id>/steps/<step>", Permission.CASE_READ, problems=WORD_PROBLEMS)
def say_step(case_id: str, step: str, sent: StepWord) -> StepAnswer:
    """Say that a step is done, with its evidence; have the vault do it, or show what it would do; agree, or waive.

    A step that takes two people takes a fresh factor of each. Run again after a stop it ends in the same state.
    """
    return said(case_id, step, sent.account_id or "", sent)


def said(case_id: str, step: str, number: str, sent: StepSaid) -> StepAnswer:
    """Say or do what was sent of a step; for the routes of each kind."""
    rooms, who = the_vault().cases, actor()
    otp = "" if sent.otp is None else sent.otp.expose()
    preview = None
    if sent.evidence is not None:
        rooms.work.attest(who, case_id, step, number, sent.evidence, otp)
    elif sent.run is not None:
        rooms.acts.run(who, case_id, step, number, sent.run)
    elif sent.dry_run is not None:
        preview = PreviewResource.of(rooms.acts.preview(who, case_id, step, number))
    elif sent.agree is not None:
        rooms.work.agree(who, case_id, step, number, otp, sent.agree.at)
    elif sent.disagree is not None:
        rooms.work.disagree(who, case_id, step, number, sent.disagree)
    else:
        rooms.work.waive(who, case_id, step, number, sent.waive or "", otp)
    return answer_of(case_id, step, number, preview)


@operation(
    "POST",
    "/cases/<case_id>/cancel",
    Permission.CASE_READ,
    problems={
        403: ("policy.denied",),
        409: ("case.state", "case.busy", "checkout.conflict"),
        423: ("frozen",),
    },
)
def cancel_case(case_id: str, sent: CaseCancelling) -> CaseWhole:
    """Cancel a case, before its first step that cannot be undone."""
    the_vault().cases.work.cancel(actor(), case_id, sent.why)
    return shown(case_id)


def shown(case_id: str) -> CaseWhole:
    """Show a case as whoever asks sees it; for the routes of each kind."""
    vault = the_vault()
    return CaseWhole.whole(vault.cases.reading.whole(actor(), case_id), vault.policy)


@contextmanager
def pointing(pointer: Callable[[str], str]) -> Iterator[None]:
    """Let errors of steps point into the body that was sent: `pointer` gives where in it a step's field stands."""
    try:
        yield
    except VaultError as error:
        error.errors = tuple(FieldError(pointer(each.pointer), each.detail) for each in error.errors)
        raise


def flat(pointer: str) -> str:
    """Give where a step's field stands in a body that has the fields themselves; an account is in the address."""
    account_itself = pointer.startswith("/accounts/") and pointer.count("/") == 2  # noqa: PLR2004 - accounts, number
    return "" if account_itself else f"/{pointer.rpartition('/')[2]}"


@renders(blueprint, "case")
def show_again(case_id: str) -> ResponseReturnValue:
    """Draw a case, or the step that was asked about, for a repeated request."""
    again = AGAIN.get((request.endpoint or "").removeprefix(f"{blueprint.name}."))
    if again is not None:
        return as_json(again(case_id))
    step = (request.view_args or {}).get("step")
    if step is None:
        return as_json(shown(case_id))
    return as_json(answer_of(case_id, str(step), parse(StepWord).account_id or "", None))


def answer_of(case_id: str, step: str, account_id: str, preview: PreviewResource | None = None) -> StepAnswer:
    """Show a step as it stands now."""
    found = the_vault().cases.reading.near(actor(), case_id, account_id)
    return StepAnswer(item=_item(found, found.item(step, account_id)), preview=preview)


def _item(found: Whole, item: Item) -> StepItem:
    return StepItem.of(found, item, the_vault().policy)


def page_of(kind: CaseKind, sent: KindQuery[Any]) -> Items[CaseResource]:
    """List the cases of one kind, for that kind's own route."""
    found = _found(kind, sent, None)
    return Items[CaseResource](items=_resources(found.items), next=found.next)


def _found(
    kind: CaseKind | None, sent: CaseQuery | KindQuery[Any], turn: Permission | str | None
) -> BoardOfCases:
    customer = None if sent.customer_id is None else customer_id_of(sent.customer_id, Permission.CASE_READ)
    is_open = {"true": True, "false": False, "any": None}[sent.open]
    wanted = CaseFilter(kind, customer, sent.account_id, sent.state, is_open)
    return the_vault().cases.board.page(actor(), Wanted(wanted, turn), Slice(sent.limit, sent.cursor))


def _resources(found: Iterable[BoardCase]) -> list[CaseResource]:
    policy = the_vault().policy
    return [CaseResource.of(each, policy) for each in found]


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 7):  # noqa: PLR2004 - a million steps
        raise bad_cursor()
    return int(cursor)
