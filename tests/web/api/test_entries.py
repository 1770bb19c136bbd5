"""What an auditor needs of an entry: on which factor the act rests, and what a refused request was about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.events import entries
from tests.web.api.test_main_path import NUMBER, held
from vault.domain.actor import Role, Scope, ScopeKind

if TYPE_CHECKING:
    from tests.web.api.service import Service


def leased(service: Service) -> str:
    """Take an account in, ask for it and step up; give the checkout's id."""
    held(service)
    olga = service.caller("olga", Role.OPERATOR)
    words = {
        "account_id": NUMBER,
        "reason": "BILL_ROOT",
        "ticket": "T-1001",
        "justification": "Look at a bill",
    }
    made = olga.did("/checkouts", words, status=201)
    olga.did(f"/checkouts/{made['id']}/step-up", {"otp": service.otp("olga")})
    return str(made["id"])


def factors(service: Service) -> dict[str, set[str]]:
    """Give the factor that the entries of each type name."""
    named: dict[str, set[str]] = {}
    for entry in entries(service.world, account_id=NUMBER):
        named.setdefault(entry["type"], set()).add(entry["actor"]["mfa"])
    return named


def last(service: Service) -> dict[str, Any]:
    """Give the newest entry."""
    return entries(service.world)[-1]


def test_what_rests_on_a_fresh_code_names_it_and_what_does_not_does_not(quick: Service) -> None:
    checkout = leased(quick)
    quick.caller("olga", Role.OPERATOR).did(f"/checkouts/{checkout}/password")
    named = factors(quick)
    fresh = ("credential.taken_in", "checkout.granted", "stepup.passed")
    opened = ("secret.reveal.authorized", "secret.reveal.released")
    assert [named[kind] for kind in (*fresh, *opened)] == [{"totp"}] * 5
    assert named["account.registered"] == named["checkout.requested"] == {"none"}


def test_who_may_not_reveal_at_all_leaves_what_they_tried_in_the_accounts_own_trail(quick: Service) -> None:
    checkout = leased(quick)
    pete = quick.caller("pete", Role.APPROVER)
    assert pete.post(f"/checkouts/{checkout}/password").status == 403
    entry = last(quick)
    assert (entry["type"], entry["outcome"], entry["actor"]["name"]) == ("access.denied", "denied", "pete")
    assert (entry["account"]["id"], entry["checkout"]) == (NUMBER, checkout)
    assert entry["detail"]["asked_for"] == f"POST /api/v1/checkouts/{checkout}/password"


def test_an_account_out_of_sight_is_named_by_the_address_only(quick: Service) -> None:
    checkout = leased(quick)
    far = quick.caller("far", Role.APPROVER, Scope(ScopeKind.ACCOUNT, "999999999999"))
    assert far.post(f"/checkouts/{checkout}/password").status == 403
    entry = last(quick)
    assert "account" not in entry
    assert "checkout" not in entry
    assert entry["detail"]["asked_for"] == f"POST /api/v1/checkouts/{checkout}/password"
