"""Asking for root: which reasons fit now, which do not and why, and the lesser way beside each.

Decided here: nothing. Whether a reason fits is the policy's word, the same that the use case will say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.agreement import words
from vault.domain.glass import decide_glass
from vault.domain.policy import Deny, Facts, Permission, Policy
from vault.errors import VaultError
from vault.services.asking import Ask
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.accounts import customer_of
from vault.web.ui.forms import AskForm, options
from vault.web.ui.show import duration
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.reason import Reason
    from vault.services.accounts import AccountView

MINUTES: Final = (15, 30, 60, 120, 240)


@dataclass(frozen=True, slots=True)
class Option:
    """A reason as it stands for one account now."""

    reason: Reason
    longest: int
    needs: str
    instead: str
    why: str


@blueprint.get("/accounts/<account_id>/ask")
@needs(Permission.CHECKOUT_USE)
def ask(account_id: str) -> Response:
    """Show the reasons."""
    form = AskForm(formdata=None, reason=request.args.get("reason", ""), minutes="60")
    form.break_glass.data = "yes" if request.args.get("glass") else ""
    return _ask_page(account_id, form, 200)


@blueprint.post("/accounts/<account_id>/ask")
@needs(Permission.CHECKOUT_USE)
def ask_send(account_id: str) -> AnyResponse:
    """Ask."""
    form = AskForm()
    _choices(form)
    if not form.validate():
        return _ask_page(account_id, form, INVALID)
    wish = Ask(
        account_id,
        form.reason.data,
        form.ticket.data.strip(),
        form.justification.data,
        int(form.minutes.data) * 60,
        break_glass=form.break_glass.data == "yes",
    )
    try:
        checkout = the_vault().asking.ask(actor(), wish)
    except VaultError as error:
        return refused(error, form, lambda status: _ask_page(account_id, form, status))
    return redirect(url_for("ui.checkout_page", checkout_id=checkout.id), 303)


def _choices(form: AskForm) -> None:
    longest = the_vault().policy.limits.longest_seconds
    form.minutes.choices = options(
        (str(each), duration(each * 60)) for each in MINUTES if each * 60 <= longest
    )


def _ask_page(account_id: str, form: AskForm, status: int) -> Response:
    view = the_vault().accounts.get(actor(), account_id)
    _choices(form)
    glass = form.break_glass.data == "yes"
    options = _options(view, glass=glass)
    fitting = [option for option in options if not option.why]
    if not form.reason.data and len(fitting) == 1:
        form.reason.data = fitting[0].reason.code
    return page(
        "ui/ask.html",
        status,
        view=view,
        form=form,
        glass=glass,
        may_break=the_vault().glass.may_break(actor(), view.account),
        fitting=fitting,
        others=[option for option in options if option.why],
    )


def _options(view: AccountView, *, glass: bool) -> list[Option]:
    policy = the_vault().policy
    customer = customer_of(actor(), view.account.customer_id)
    facts = Facts(view.account, view.situation, the_vault().clock.now(), None, customer)
    found: list[Option] = []
    for reason in policy.reasons.values():
        terms = policy.terms(reason, view.account, customer)
        longest = terms.longest
        longest = min(longest, policy.limits.break_glass_seconds) if glass else longest
        decide = decide_glass if glass else Policy.decide_reason
        decision = decide(policy, reason.code, longest, facts)
        why = decision.detail if isinstance(decision, Deny) else ""
        needs_ = " and ".join(map(words, terms.needs)) or words(())
        found.append(Option(reason, longest, needs_, reason.instead.get(view.account.kind, ""), why))
    return found
