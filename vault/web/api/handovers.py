"""Handovers: asking for one, its information, its gates and days, its steps by account, release, and its end.

A machine with the scopes `handover.open` and `case.read` opens and follows; whatever confirms something takes a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from vault.domain.case import CaseKind
from vault.domain.plans.handover import DAY
from vault.domain.plans.release import RELEASE
from vault.domain.policy import Permission
from vault.errors import not_found
from vault.web.api.case_words import said_of_many, words_again
from vault.web.api.cases import AGAIN, WORD_PROBLEMS, answer_of, flat, page_of, pointing, said
from vault.web.api.names import customer_id_of
from vault.web.api.routes import Problems, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.case_steps import StepAnswer, StepSaid
from vault.web.api.schemas.case_words import StepWords, StepWordsAnswer
from vault.web.api.schemas.cases import CaseCancelling, CaseResource
from vault.web.api.schemas.handovers import (
    FreeDaysResource,
    GatesResource,
    HandoverQuery,
    HandoverResource,
    HandoverTelling,
    NewHandover,
    Releasing,
    Scheduling,
)
from vault.web.auth import actor, the_vault

if TYPE_CHECKING:
    from vault.services.case_views import CaseWhole as Whole
    from vault.web.api.schemas.base import Resource

_TOLD: Final[Problems] = {
    403: ("policy.denied",),
    409: (
        "case.account",
        "case.state",
        "case.rule",
        "custody.state",
        "custody.customer_held",
        "custody.email_used",
    ),
    422: ("case.evidence",),
    423: ("frozen",),
}
_SAID: Final[Problems] = {
    **WORD_PROBLEMS,
    409: (
        *WORD_PROBLEMS[409], "custody.state", "custody.email_used", "checkout.conflict", "rotation.state",
        "keyless.state",
    ),
    423: (*WORD_PROBLEMS[423], "review.due"),
    503: (*WORD_PROBLEMS[503], "keyless.unavailable"),
}  # fmt: skip


@operation("GET", "/handovers", Permission.CASE_READ, problems={422: ("cursor.invalid",)})
def list_handovers(sent: HandoverQuery) -> Items[CaseResource]:
    """List handovers within your sight, each with where it waits, on whom, and since when."""
    return page_of(CaseKind.HANDOVER, sent)


@operation(
    "POST",
    "/handovers",
    Permission.HANDOVER_OPEN,
    creates="/handovers/{id}",
    problems={404: ("not_found",), **_TOLD},
)
def open_handover(sent: NewHandover) -> HandoverResource:
    """Ask for a handover of accounts to their customer, with what is known of it; the same order again is the same."""
    customer = customer_id_of(sent.customer_id, Permission.HANDOVER_OPEN)
    with pointing(sent.pointer):
        case = the_vault().cases.handovers.open(actor(), sent.wish(customer))
    return shown(case.id)


@operation("GET", "/handovers/<case_id>", Permission.CASE_READ)
def read_handover(case_id: str) -> HandoverResource:
    """Read a handover with its accounts and what is known of it."""
    return shown(case_id)


@operation("POST", "/handovers/<case_id>", Permission.HANDOVER_PREPARE, problems=_TOLD)
def tell_handover(case_id: str, sent: HandoverTelling) -> HandoverResource:
    """Say more of what has to be known, or something else than was said while nothing rests on it."""
    with pointing(sent.pointer):
        the_vault().cases.handovers.complete(actor(), case_id, sent.known())
    return shown(case_id)


@operation("GET", "/handovers/<case_id>/gates", Permission.CASE_READ)
def read_handover_gates(case_id: str) -> GatesResource:
    """Read each gate by rule and account: whether it is met, what is missing, on whom it waits."""
    return GatesResource.of(the_vault().cases.handovers.gates(actor(), case_id))


@operation("GET", "/handovers/<case_id>/days", Permission.CASE_READ)
def read_handover_days(case_id: str) -> FreeDaysResource:
    """Read which free day is nearest to the contract's end for each account that has none."""
    return FreeDaysResource.of(the_vault().cases.handovers.free_days(actor(), case_id))


@operation(
    "POST",
    "/handovers/<case_id>/cancel",
    Permission.HANDOVER_PREPARE,
    problems={
        403: ("policy.denied",),
        409: ("case.state", "case.busy", "checkout.conflict"),
        423: ("frozen",),
    },
)
def cancel_handover(case_id: str, sent: CaseCancelling) -> HandoverResource:
    """Cancel a handover before its first step that cannot be undone; custody is again what it was."""
    _only_handovers(case_id)
    the_vault().cases.work.cancel(actor(), case_id, sent.why)
    return shown(case_id)


@operation(
    "POST", "/handovers/<case_id>/accounts/<account_id>/schedule", Permission.HANDOVER_PREPARE, problems=_SAID
)
def schedule_handover(case_id: str, account_id: str, sent: Scheduling) -> StepAnswer:
    """Choose an account's day; a refusal names the rule and the next free day. Against H2 two people have to say so."""
    _only_handovers(case_id)
    given = {"at": sent.at} | ({} if sent.why is None else {"why": sent.why})
    otp = "" if sent.otp is None else sent.otp.expose()
    with pointing(flat):
        the_vault().cases.work.attest(actor(), case_id, DAY, account_id, given, otp)
    return answer_of(case_id, DAY, account_id)


@operation("POST", "/handovers/<case_id>/steps/<step>", Permission.CASE_READ, problems=_SAID)
def say_handover_step(case_id: str, step: str, sent: StepSaid) -> StepAnswer:
    """Say a step of the whole handover: that the balance is paid today, that a Consent to Assignment is signed."""
    _only_handovers(case_id)
    return said(case_id, step, "", sent)


@operation("POST", "/handovers/<case_id>/steps/<step>/words", Permission.CASE_READ, problems=_SAID)
def say_handover_words(case_id: str, step: str, sent: StepWords) -> StepWordsAnswer:
    """Say one word on a step of many accounts of a handover, with one fresh factor for exactly this list."""
    _only_handovers(case_id)
    return said_of_many(case_id, step, sent)


@operation(
    "POST", "/handovers/<case_id>/accounts/<account_id>/steps/<step>", Permission.CASE_READ, problems=_SAID
)
def say_account_step(case_id: str, account_id: str, step: str, sent: StepSaid) -> StepAnswer:
    """Say that a step of an account is done, with its evidence; have the vault do it, or show what it would do."""
    _only_handovers(case_id)
    return said(case_id, step, account_id, sent)


@operation("POST", "/handovers/<case_id>/accounts/<account_id>/release", Permission.CASE_READ, problems=_SAID)
def release_account(case_id: str, account_id: str, sent: Releasing) -> StepAnswer:
    """Release an account: the first word is an operator's, the second an approver's; from there on nothing opens it."""
    _only_handovers(case_id)
    handovers = the_vault().cases.handovers
    handovers.release(actor(), case_id, account_id, sent.otp.expose(), sent.note or "", sent.at)
    return answer_of(case_id, RELEASE, account_id)


def shown(case_id: str) -> HandoverResource:
    """Show a handover as whoever asks sees it."""
    return HandoverResource.shown(_whole(case_id), the_vault().policy)


def _whole(case_id: str) -> Whole:
    found = the_vault().cases.reading.whole(actor(), case_id)
    if found.scene.case.kind is not CaseKind.HANDOVER:
        raise not_found("handover", case_id[:36])
    return found


def _only_handovers(case_id: str) -> None:
    """Answer for a case of another kind as for none; one that is not there is refused, and told of, by the use case."""
    with the_vault().units.read() as unit:
        found = unit.cases.get(case_id)
    if found is not None and found.kind is not CaseKind.HANDOVER:
        raise not_found("handover", case_id[:36])


def _step_again(case_id: str) -> Resource:
    """Show the step that a repeated request was about."""
    named = request.view_args or {}
    by_route = {schedule_handover.__name__: DAY, release_account.__name__: RELEASE}
    operation_name = (request.endpoint or "").removeprefix(f"{blueprint.name}.")
    step = by_route.get(operation_name) or str(named.get("step", ""))
    return answer_of(case_id, step, str(named.get("account_id", "")))


AGAIN["say_handover_words"] = words_again
AGAIN.update(dict.fromkeys(("open_handover", "tell_handover", "cancel_handover"), shown))
AGAIN.update(
    dict.fromkeys(
        ("schedule_handover", "say_handover_step", "say_account_step", "release_account"), _step_again
    )
)
