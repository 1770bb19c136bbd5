"""The whole story by REST, on both databases: register, take in, ask, approve, reveal, rotate, prove."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pyotp

from audit import merkle
from audit.note import Verifier
from audit.receipt import open_checkpoint
from vault.crypto import totp
from vault.domain.actor import Role
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

NUMBER = "111122223333"
OLD_PASSWORD = "Correct-Horse-7-Battery"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NEW_SEED = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"


def held(service: Service, number: str = NUMBER) -> Caller:
    """Register an account and take its values into custody; give the custodian."""
    carla = service.caller("carla", Role.CUSTODIAN)
    if not carla.get("/customers?q=900001").json["items"]:
        carla.did("/customers", {"ddi": "900001", "name": "Example Ltd"}, status=201)
    account = {
        "account_id": number,
        "name": f"account {number}",
        "customer_id": "900001",
        "model": "SPAM",
        "kind": "standalone",
        "root_email": f"root+{number}@msp.example",
    }
    carla.did("/accounts", account, status=201)
    carla.did(
        f"/accounts/{number}/credential",
        {
            "root_email": account["root_email"],
            "password": OLD_PASSWORD,
            "totp_seed": SEED,
            "attested": True,
            "otp": service.otp("carla"),
        },
        method="PUT",
    )
    return carla


def asked(service: Service, reason: str = "BILL_ROOT", number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """Ask as olga, and give the checkout."""
    olga = service.caller("olga", Role.OPERATOR)
    body = {
        "account_id": number,
        "reason": reason,
        "ticket": "T-1001",
        "justification": "a task for this test",
    }
    made: dict[str, Any] = olga.did("/checkouts", {**body, **more}, status=201)
    return made


def leased(service: Service, reason: str = "BILL_ROOT", number: str = NUMBER) -> str:
    """Ask and step up as olga; give the checkout's id."""
    checkout = asked(service, reason, number)
    stepped = service.callers["olga"].did(
        f"/checkouts/{checkout['id']}/step-up", {"otp": service.otp("olga")}
    )
    assert stepped["state"] == "active"
    return str(checkout["id"])


def test_the_whole_story(service: Service) -> None:
    carla = held(service)
    account = carla.did(f"/accounts/{NUMBER}", method="GET")
    assert (account["state"], account["situation"], account["checkout"]) == ("held", "held", None)
    assert [(part["part"], part["state"], part["due"]) for part in account["parts"]] == [
        ("password", "held", ["intake"]),
        ("mfa", "held", ["intake"]),
    ]

    # a reason that another has to agree to, and does, for less time
    service.caller("anna", Role.APPROVER)
    checkout = asked(service, "ACCT_SETTINGS", duration_seconds=1800)
    assert (checkout["state"], checkout["approvals_needed"], checkout["approvals"]) == (
        "pending_approval",
        1,
        [],
    )
    path = f"/checkouts/{checkout['id']}"
    anna, olga = service.callers["anna"], service.callers["olga"]
    assert anna.did(path, method="GET")["may_approve"] is True
    decided = anna.did(
        f"{path}/approvals",
        {
            "decision": "approve",
            "comment": "seen the ticket",
            "duration_seconds": 900,
            "content_hash": checkout["content_hash"],
            "otp": service.otp("anna"),
        },
    )
    assert (decided["state"], decided["duration_seconds"], decided["requested_seconds"]) == (
        "approved",
        900,
        1800,
    )

    # no reveal before a second factor, then one
    early = olga.post(f"{path}/password")
    assert (early.status, early.code) == (409, "checkout.state")
    stepped = olga.did(f"{path}/step-up", {"otp": service.otp("olga")})
    assert (stepped["state"], stepped["until"] <= stepped["expires_at"]) == ("active", True)
    revealed = olga.did(f"{path}/password")
    assert (revealed["password"], revealed["version"]) == (OLD_PASSWORD, 1)
    assert set(revealed["receipt"]) == {"index", "leaf_hash", "checkpoint"}
    code = olga.did(f"{path}/code", {"version": "current"})
    assert code["code"] == pyotp.TOTP(SEED).at(service.world.clock.now())
    ended = olga.did(f"{path}/check-in")
    assert (ended["state"], ended["counts"]) == ("checked_in", {"passwords": 1, "codes": 1})
    assert service.last()[0]["type"] == "checkout.returned"

    # what was seen is due, and only a rotation opens it
    refused = olga.post(
        "/checkouts",
        {"account_id": NUMBER, "reason": "BILL_ROOT", "ticket": "T-1", "justification": "once more, please"},
    )
    assert (refused.status, refused.code) == (423, "rotation.due")

    new = rotate(service, "password")
    rotate(service, "mfa", seed=NEW_SEED)

    # a later lease opens the new ones; the codes that were displayed are used up
    service.world.clock.advance(minutes=1)
    last = leased(service)
    assert olga.did(f"/checkouts/{last}/password")["password"] == new
    now = service.world.clock.now()
    assert olga.did(f"/checkouts/{last}/code", {"version": 2})["code"] == pyotp.TOTP(NEW_SEED).at(now)
    olga.did(f"/checkouts/{last}/check-in")

    credential = carla.did(f"/accounts/{NUMBER}/credential", method="GET")
    assert [(each["part"], each["version"], each["label"]) for each in credential["versions"]] == [
        ("password", 2, "current"),
        ("password", 1, "retired"),
        ("mfa", 2, "current"),
        ("mfa", 1, "retired"),
    ]
    proven(service, revealed["receipt"])


def rotate(service: Service, part: str, seed: str | None = None) -> str:
    """Rotate one part as olga, let oscar verify it, and give the value that was set."""
    olga, oscar = service.callers["olga"], service.caller("oscar", Role.OPERATOR)
    checkout = leased(service, "CRED_ROTATE")
    body = {"part": part} if seed is None else {"part": part, "seed": seed}
    planned = olga.did(f"/checkouts/{checkout}/rotations", body, status=201)
    path = f"/rotations/{planned['id']}"
    assert olga.did(path, method="GET")["state"] == "planned"
    shown = olga.did(f"{path}/display")
    assert (shown["version"], shown["state"]) == (2, "displayed")
    if seed is None:
        value = str(shown["password"])
        assert "codes" not in shown
        assert len(value) >= 20
    else:
        first, second = shown["codes"]
        assert "password" not in shown
        assert re.fullmatch("[0-9]{6}", first["code"])
        assert first["valid_until"] == second["valid_from"]
        step = totp.step_of(service.world.clock.now())
        codes = [totp.code_at(totp.Seed(Secret(seed)), each).expose() for each in (step, step + 1)]
        assert [first["code"], second["code"]] == codes
        value = seed
    assert olga.did(f"{path}/attest", {"outcome": "accepted"})["state"] == "accepted"
    own = olga.post(f"{path}/verify", {"evidence": "I set it myself"})
    assert (own.status, own.code) == (403, "policy.second_person")
    assert oscar.did(f"{path}/verify", {"evidence": "signed in with it"})["state"] == "verified"
    olga.did(f"/checkouts/{checkout}/check-in")
    return value


def proven(service: Service, receipt: dict[str, Any]) -> None:
    """Prove a receipt as a client would that has the log's public key and the audit package."""
    verifier = Verifier.parse(service.world.vault.vkey)
    alma = service.caller("alma", Role.AUDITOR)
    old = open_checkpoint(receipt["checkpoint"], verifier.name, verifier)
    new = open_checkpoint(alma.get("/audit/checkpoint").data.decode(), verifier.name, verifier)
    assert old.size == receipt["index"] + 1 < new.size
    proof = alma.did(f"/audit/consistency?old={old.size}&new={new.size}", method="GET")
    hashes = [base64.b64decode(each) for each in proof["hashes"]]
    merkle.check_consistency(old.size, new.size, hashes, old.root, new.root)
    entry = alma.did(f"/audit/entries/{receipt['index']}", method="GET")
    assert entry["content"]["type"] == "secret.reveal.released"
    assert (
        hashlib.sha256(b"\0" + entry["leaf"].encode()).hexdigest()
        == receipt["leaf_hash"]
        == entry["leaf_hash"]
    )
