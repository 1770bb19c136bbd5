"""One word on a step of many accounts, sent from the page of a batch with one fresh factor.

Decided here: what was refused of an account, and how many were left, is told on the page that comes back; sent again,
what is said already is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flask import redirect, url_for

from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.services.case_words import Answer
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.case_batch import batch_page
from vault.web.ui.case_steps import STEP, moment
from vault.web.ui.case_together import looked_at, picked
from vault.web.ui.forms import Form, OtpForm
from vault.web.ui.forms_cases import NoForm, WaiveForm, evidence_form
from vault.web.ui.site import INVALID, blueprint, refused

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

ACTIONS: Final = STEP + "/all/<any('say', 'agree', 'disagree', 'waive'):_act>"
Say = Callable[[], "tuple[Answer, ...]"]


@blueprint.get(ACTIONS)
@needs(Permission.CASE_READ)
def case_many_back(case_id: object, step: str, _act: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.case_batch", case_id=case_id, step=step), 303)


@blueprint.post(STEP + "/all/say")
@needs(Permission.CASE_READ)
def case_many_say(case_id: object, step: str) -> AnyResponse:
    """Say the first of two words on each."""
    many, name = the_vault().cases.many, str(case_id)
    whole = the_vault().cases.reading.whole(actor(), name)
    known = whole.plan.step(step)
    form = evidence_form(() if known is None else whole.asks(known))()
    return _say(
        name,
        step,
        form,
        lambda: many.attest(actor(), name, step, picked(), form.given(), form.otp.data or ""),
    )


@blueprint.post(STEP + "/all/agree")
@needs(Permission.CASE_READ)
def case_many_agree(case_id: object, step: str) -> AnyResponse:
    """Say the second word on each, on what was looked at."""
    form, many, name = OtpForm(), the_vault().cases.many, str(case_id)
    seen = {number: moment(at) for number, at in looked_at().items()}
    return _say(name, step, form, lambda: many.agree(actor(), name, step, seen, form.otp.data.strip()))


@blueprint.post(STEP + "/all/disagree")
@needs(Permission.CASE_READ)
def case_many_disagree(case_id: object, step: str) -> AnyResponse:
    """Refuse the second word on each, or take one's own first ones back."""
    form, many, name = NoForm(), the_vault().cases.many, str(case_id)
    return _say(name, step, form, lambda: many.disagree(actor(), name, step, picked(), form.why.data))


@blueprint.post(STEP + "/all/waive")
@needs(Permission.CASE_READ)
def case_many_waive(case_id: object, step: str) -> AnyResponse:
    """Propose that the step be let go of each."""
    form, many, name = WaiveForm(), the_vault().cases.many, str(case_id)
    return _say(
        name,
        step,
        form,
        lambda: many.waive(actor(), name, step, picked(), form.why.data, form.otp.data.strip()),
    )


def _say(case_id: str, step: str, form: Form, say: Say) -> AnyResponse:
    def again(status: int, answers: tuple[Answer, ...] | None = None) -> AnyResponse:
        whole = the_vault().cases.reading.whole(actor(), case_id)
        known = whole.plan.step(step)
        if known is None or not known.per_account:
            return redirect(url_for("ui.case_page", case_id=case_id), 303)
        return batch_page(whole, known, form, status, answers=answers)

    if not form.validate():
        return again(INVALID)
    try:
        answers = say()
    except VaultError as error:
        return refused(error, form, again)  # type: ignore[arg-type]  # a page but where there is no such step
    return again(200, answers)
