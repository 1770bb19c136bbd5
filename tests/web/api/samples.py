"""One valid body and one path for each operation, with names that are put in, and who may send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.support.onboardings import OPENING
from vault.domain.actor import Role
from vault.web.api import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.web.api.routes import Operation

ABSENT: Final[Mapping[str, str]] = {
    "account_id": "999999999999",
    "bundle": "000",
    "campaign_id": "00000000-0000-4000-8000-000000000010",
    "case_id": "00000000-0000-4000-8000-000000000012",
    "finding_id": "00000000-0000-4000-8000-000000000011",
    "freeze_id": "00000000-0000-4000-8000-000000000008",
    "checkout_id": "00000000-0000-4000-8000-000000000000",
    "confirmation_id": "00000000-0000-4000-8000-00000000000c",
    "customer_id": "00000000-0000-4000-8000-000000000001",
    "day": "2001-01-01",
    "digest": "0" * 64,
    "grant_id": "00000000-0000-4000-8000-000000000002",
    "identity_id": "00000000-0000-4000-8000-00000000000f",
    "incident_id": "00000000-0000-4000-8000-000000000006",
    "index": "123456789",
    "mail_id": "00000000-0000-4000-8000-000000000012",
    "notice_id": "00000000-0000-4000-8000-000000000009",
    "person_id": "00000000-0000-4000-8000-000000000003",
    "proposal_id": "00000000-0000-4000-8000-000000000007",
    "rotation_id": "00000000-0000-4000-8000-000000000004",
    "session_id": "00000000-0000-4000-8000-00000000000e",
    "size": "123456789",
    "step": "release",
    "tile": "0/999",
    "token_id": "00000000-0000-4000-8000-000000000005",
    "version": "123456789",
}
"""Names of nothing."""

OTP: Final = "000000"
STATED: Final[Mapping[str, Any]] = {
    "account_id": "111122223333",
    "reason": "BILL_ROOT",
    "ticket": "T-1001",
    "justification": "a task for this test",
}


@dataclass(frozen=True)
class Sample:
    """A valid request."""

    role: Role | None
    body: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""


SAMPLES: Final[Mapping[str, Sample]] = {
    "read_me": Sample(Role.CSM),
    "list_notices": Sample(Role.CSM, query="?state=unread"),
    "read_notices": Sample(Role.CSM),
    "read_notice": Sample(Role.CSM),
    "read_notice_choices": Sample(Role.CSM),
    "choose_notices": Sample(
        Role.CSM, {"requests": "digest", "people": "mail", "own": "mail", "log": "inbox"}
    ),
    "list_dead_letters": Sample(Role.AUDITOR),
    "replay_dead_letters": Sample(Role.ADMIN),
    "replay_dead_letter": Sample(Role.ADMIN),
    "list_customers": Sample(Role.CSM),
    "register_customer": Sample(
        Role.CUSTODIAN,
        {
            "ddi": "900002",
            "name": "Other Ltd",
            "public_sector": False,
            "aws_india": True,
            "session_idle_seconds": 600,
            "session_max_seconds": 3600,
        },
    ),
    "read_customer": Sample(Role.CSM),
    "change_customer": Sample(Role.CUSTODIAN, {"name": "Another Ltd", "session_idle_seconds": 300}),
    "list_accounts": Sample(Role.CSM),
    "register_account": Sample(
        Role.CUSTODIAN,
        {
            "account_id": "123412341234",
            "name": "another",
            "customer_id": "900001",
            "model": "SPAM",
            "kind": "member",
            "root_email": "root+123412341234@msp.example",
            "mailbox": "ours",
            "phone": "unknown",
        },
    ),
    "read_account": Sample(Role.CSM),
    "change_account": Sample(Role.CUSTODIAN, {"name": "renamed", "phone": "ours"}),
    "read_credential": Sample(Role.CSM),
    "list_health": Sample(Role.CSM, query="?health=due&kind=member"),
    "read_board": Sample(Role.CSM, query="?stage=overdue"),
    "read_recovery_score": Sample(Role.CSM, query="?loss=vault&fate=lost"),
    "list_handovers": Sample(Role.CSM, query="?open=any&state=requested"),
    "open_handover": Sample(
        Role.CSM,
        {
            "customer_id": "900001",
            "ticket": "T-1001",
            "order": "order-1",
            "signatory": {"name": "Sam Signatory", "email": "sam@customer.example", "channel": "+1 555 0100"},
            "contract_end": "2026-12-31",
            "accounts": [{"account_id": "111122223333", "root_email": "aws@customer.example"}],
        },
    ),
    "read_handover": Sample(Role.CSM),
    "tell_handover": Sample(Role.CSM, {"contract_end": "2027-01-31", "organization": "keep"}),
    "read_handover_gates": Sample(Role.CSM),
    "read_handover_end": Sample(Role.CSM),
    "send_customer_link": Sample(Role.CSM, {"otp": OTP}),
    "acknowledge_handover": Sample(
        Role.CSM, {"signed": "Sam Signatory", "on": "2026-12-01", "where": "Comment 9 of the ticket"}
    ),
    "read_evidence_pack": Sample(Role.CSM, query="?format=json"),
    "read_handover_days": Sample(Role.CSM),
    "cancel_handover": Sample(Role.CSM, {"why": "the customer stays with us"}),
    "schedule_handover": Sample(Role.CSM, {"at": "2026-12-15T15:00:00Z"}),
    "say_handover_step": Sample(Role.CSM, {"evidence": {"note": "paid, as the ledger says"}}),
    "say_account_step": Sample(Role.CSM, {"dry_run": True}),
    "release_account": Sample(Role.OPERATOR, {"otp": OTP}),
    "say_handover_words": Sample(
        Role.APPROVER, {"accounts": [{"account_id": "111122223333"}], "disagree": "the ticket says otherwise"}
    ),
    "list_cases": Sample(Role.CSM, query="?open=any&turn=mine"),
    "read_case": Sample(Role.CSM),
    "list_case_steps": Sample(Role.CSM, query="?waits=mine"),
    "list_step_words": Sample(Role.APPROVER),
    "say_step_words": Sample(
        Role.APPROVER,
        {
            "accounts": [{"account_id": "111122223333", "at": "2026-12-01T09:00:00Z"}],
            "agree": True,
            "otp": "123456",
        },
    ),
    "say_step": Sample(Role.CSM, {"account_id": "111122223333", "evidence": {"note": "seen there"}}),
    "cancel_case": Sample(Role.CSM, {"why": "the customer stays with us"}),
    "read_case_calendar": Sample(Role.CSM, query="?from=2026-12-01&until=2026-12-31"),
    "list_onboardings": Sample(Role.CUSTODIAN, query="?open=any&state=open"),
    "open_onboarding": Sample(Role.CUSTODIAN, OPENING),
    "read_onboarding": Sample(Role.CUSTODIAN),
    "read_instructions": Sample(Role.CUSTODIAN),
    "make_addresses": Sample(Role.CUSTODIAN),
    "list_root_emails": Sample(Role.AUDITOR, query="?q=aws&use=borne"),
    "read_account_limit": Sample(Role.CSM),
    "record_account_limit": Sample(Role.CUSTODIAN, {"most": 7, "ticket": "T-1001"}),
    "list_campaigns": Sample(Role.CSM, query="?state=any"),
    "propose_campaign": Sample(
        Role.APPROVER,
        {
            "name": "Spring",
            "why": "the yearly rotation of every account",
            "parts": "both",
            "until": "2026-12-01T00:00:00Z",
            "accounts_per_hour": 20,
            "people": ["00000000-0000-4000-8000-000000000003"],
            "filter": {"health": ["due"], "why": ["due_age"]},
            "share": False,
            "otp": OTP,
        },
    ),
    "list_candidates": Sample(Role.APPROVER, query="?health=due&why=due_intake"),
    "list_campaign_people": Sample(Role.APPROVER),
    "read_campaign": Sample(Role.CSM),
    "list_campaign_accounts": Sample(Role.CSM, query="?stage=left&person=nobody"),
    "take_accounts": Sample(Role.OPERATOR, {"count": 5}),
    "give_accounts_back": Sample(Role.OPERATOR, {"accounts": ["111122223333"]}),
    "assign_accounts": Sample(Role.APPROVER, {"count": 5, "from_person": None, "to_person": None}),
    "read_calendar": Sample(Role.CSM, query="?from=2026-11-23&until=2026-12-23"),
    "take_into_custody": Sample(
        Role.CUSTODIAN,
        {
            "root_email": "root+111122223333@msp.example",
            "password": "Correct-Horse-7-Battery",
            "totp_seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            "attested": True,
            "otp": OTP,
        },
    ),
    "list_reasons": Sample(Role.CSM),
    "list_checkouts": Sample(Role.CSM),
    "request_checkout": Sample(Role.OPERATOR, {**STATED, "duration_seconds": 900}),
    "read_checkout": Sample(Role.CSM),
    "read_evidence": Sample(Role.CSM),
    "open_closure": Sample(Role.CUSTODIAN, {"ticket": "T-9", "accounts": []}),
    "read_closure": Sample(Role.CSM),
    "reopen_account": Sample(
        Role.CUSTODIAN, {"on": "2026-11-30", "where": "case 4711 with AWS Support", "otp": "123456"}
    ),
    "read_certificate": Sample(Role.CSM, query="?format=json"),
    "who_could_know": Sample(Role.CSM, query="?at=2026-11-01T00:00:00Z"),
    "what_a_person_knows": Sample(Role.AUDITOR),
    "decide_checkout": Sample(
        Role.APPROVER,
        {
            "decision": "approve",
            "comment": "seen",
            "duration_seconds": 600,
            "content_hash": "0" * 64,
            "otp": OTP,
        },
    ),
    "step_up": Sample(Role.OPERATOR, {"otp": OTP}),
    "read_confirmation": Sample(Role.OPERATOR),
    "reveal_password": Sample(Role.OPERATOR, {"version": "previous"}),
    "reveal_code": Sample(Role.OPERATOR, {"version": 3}),
    "check_in": Sample(Role.OPERATOR),
    "cancel_checkout": Sample(Role.OPERATOR),
    "none_works": Sample(Role.OPERATOR, {"part": "password"}),
    "revoke_checkout": Sample(Role.APPROVER, {"reason": "it went on for too long"}),
    "plan_rotation": Sample(Role.OPERATOR, {"part": "mfa", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}),
    "list_rotations": Sample(Role.CSM, query="?state=unverified&part=password&overdue=true"),
    "read_rotation": Sample(Role.CSM),
    "display_rotation": Sample(Role.OPERATOR),
    "attest_rotation": Sample(Role.OPERATOR, {"outcome": "accepted"}),
    "verify_rotation": Sample(Role.OPERATOR, {"evidence": "signed in with it"}),
    "abandon_rotation": Sample(Role.OPERATOR),
    "read_walk": Sample(Role.CSM, query="?part=mfa"),
    "list_devices": Sample(Role.CSM),
    "remove_device": Sample(Role.OPERATOR),
    "list_entries": Sample(Role.CSM),
    "read_entry": Sample(Role.CSM),
    "prove_entry": Sample(Role.CSM),
    "read_checkpoint": Sample(Role.CSM),
    "prove_consistency": Sample(Role.CSM, query="?old=1"),
    "list_outlets": Sample(Role.AUDITOR),
    "list_checkpoints": Sample(Role.AUDITOR),
    "read_published": Sample(Role.AUDITOR),
    "read_tile": Sample(Role.CSM),
    "read_bundle": Sample(Role.AUDITOR),
    "export_log": Sample(
        Role.AUDITOR, {"format": "jsonl", "account_id": "111122223333", "since": "2026-01-01T00:00:00Z"}
    ),
    "list_reviews": Sample(Role.AUDITOR, query="?days=7"),
    "read_review": Sample(Role.AUDITOR),
    "sign_review": Sample(
        Role.AUDITOR, {"digest": "0" * 64, "sentence": "looked at it", "answers": {"a_0123456789ab": "seen"}}
    ),
    "read_activity": Sample(Role.AUDITOR, query="?days=7"),
    "list_findings": Sample(Role.OPERATOR, query="?state=open&rule=root_keys&owner=me"),
    "read_finding": Sample(Role.OPERATOR),
    "take_finding": Sample(Role.OPERATOR, {"to": "00000000-0000-4000-8000-000000000003"}),
    "close_finding": Sample(Role.OPERATOR, {"sentence": "the keys are deleted"}),
    "accept_finding": Sample(Role.OPERATOR, {"sentence": "the customer wants none", "days": 30}),
    "read_drift": Sample(Role.OPERATOR, query="?state=open"),
    "read_inspection": Sample(Role.OPERATOR),
    "ask_for_inspection": Sample(Role.OPERATOR),
    "list_incidents": Sample(Role.AUDITOR, query="?state=open&kind=root_use&owner=me"),
    "ask_for_move": Sample(
        Role.CSM,
        {
            "to": "900002",
            "day": "2026-12-15",
            "requested": "2026-11-23",
            "by": "Sam Signs",
            "ticket": "T-2002",
            "accounts": ["222233334444"],
            "cause": "order 7",
        },
    ),
    "list_moves": Sample(Role.CSM),
    "list_mail": Sample(Role.CSM, query="?kind=security"),
    "list_account_mail": Sample(Role.CSM),
    "read_mail": Sample(Role.CSM),
    "assign_mail": Sample(
        Role.CUSTODIAN, {"account_id": "111122223333", "why": "AWS wrote to its old address", "otp": OTP}
    ),
    "open_mail": Sample(Role.OPERATOR),
    "list_keyless": Sample(Role.CSM, query="?state=better"),
    "read_keyless": Sample(Role.CSM),
    "look_at_keyless": Sample(Role.CUSTODIAN, {"payer_id": "999988887777"}),
    "register_keyless": Sample(Role.CUSTODIAN, {"payer_id": "999988887777"}),
    "propose_keyless": Sample(
        Role.CUSTODIAN, {"act": "remove", "why": "because the work asks for it", "otp": OTP}
    ),
    "carry_out_keyless": Sample(Role.APPROVER),
    "read_policy_in_force": Sample(Role.CSM),
    "explain": Sample(Role.CSM, query="?account=111122223333&reason=BILL_ROOT&seconds=900&ticket=T-1"),
    "list_policy_versions": Sample(Role.ADMIN),
    "read_policy_version": Sample(Role.ADMIN),
    "compare_policy": Sample(Role.ADMIN, {"text": "version = 1"}),
    "propose_policy": Sample(
        Role.ADMIN, {"text": "version = 1", "why": "because the work asks for it", "otp": OTP}
    ),
    "propose_rewrap": Sample(
        Role.ADMIN, {"keys": ["local-1"], "why": "because the work asks for it", "otp": OTP}
    ),
    "read_recipient": Sample(Role.ADMIN),
    "propose_recipient": Sample(
        Role.ADMIN,
        {
            "recipient": "age1jnrzgtnzuts3w9usxtvlvwut5hmapkzse7f2fn697x5uxt8qafgsr44uav",
            "why": "because the work asks for it",
            "otp": OTP,
        },
    ),
    "propose_drill": Sample(Role.ADMIN, {"why": "because the work asks for it", "otp": OTP}),
    "list_proposals": Sample(Role.ADMIN),
    "read_proposal": Sample(Role.ADMIN),
    "confirm_proposal": Sample(Role.ADMIN, {"otp": OTP}),
    "end_proposal": Sample(Role.ADMIN, {"why": "not wanted any more"}),
    "list_freezes": Sample(Role.CSM, query="?state=any"),
    "read_freeze": Sample(Role.CSM),
    "freeze": Sample(
        Role.CSM, {"scope": "person:00000000-0000-4000-8000-000000000003", "why": "a stolen laptop"}
    ),
    "lift_freeze": Sample(
        Role.APPROVER,
        {"freeze": "00000000-0000-4000-8000-000000000008", "why": "the laptop is back", "otp": OTP},
    ),
    "list_unreviewed": Sample(Role.CSM),
    "review_checkout": Sample(
        Role.APPROVER, {"verdict": "justified", "sentence": "looked at every entry", "otp": OTP}
    ),
    "join_checkout": Sample(Role.OPERATOR, {"otp": OTP}),
    "enable_break_glass": Sample(
        Role.ADMIN, {"scope": "all", "why": "on duty in the nights of May", "otp": OTP}
    ),
    "raise_budget": Sample(
        Role.APPROVER,
        {
            "accounts_per_hour": 50,
            "until": "2099-01-01T00:00:00Z",
            "why": "the yearly rotation of all",
            "otp": OTP,
        },
    ),
    "split_account": Sample(Role.CUSTODIAN),
    "split_customer": Sample(Role.CUSTODIAN),
    "end_split_of_account": Sample(Role.CUSTODIAN, {"why": "there is one person left", "otp": OTP}),
    "end_split_of_customer": Sample(Role.CUSTODIAN, {"why": "there is one person left", "otp": OTP}),
    "read_incident": Sample(Role.AUDITOR),
    "take_incident": Sample(Role.AUDITOR, {"to": "00000000-0000-4000-8000-000000000003"}),
    "close_incident": Sample(Role.AUDITOR, {"sentence": "the customer signed in, and says so"}),
    "read_cloud_status": Sample(Role.AUDITOR),
    "read_checkout_cloud": Sample(Role.CSM),
    "draw_sample": Sample(Role.AUDITOR, {"type": "checkout.granted", "n": 5, "random_seed": "2026-Q3"}),
    "list_people": Sample(Role.ADMIN),
    "invite_person": Sample(
        Role.ADMIN,
        {"email": "nina@msp.example", "name": "Nina", "roles": [{"role": "csm", "scope": "all"}]},
    ),
    "read_person": Sample(Role.ADMIN),
    "renew_enrolment": Sample(Role.ADMIN),
    "propose_role": Sample(Role.ADMIN, {"role": "operator", "scope": "all"}),
    "confirm_role": Sample(Role.ADMIN, {"otp": OTP}),
    "remove_role": Sample(Role.ADMIN),
    "disable_person": Sample(Role.ADMIN),
    "read_leaver": Sample(Role.ADMIN, query="?state=any&limit=5"),
    "propose_recovery": Sample(Role.ADMIN, {"why": "lost the phone on a train", "otp": OTP}),
    "take_recovery_link": Sample(Role.ADMIN, {"otp": OTP}),
    "list_sessions": Sample(Role.CSM),
    "end_other_sessions": Sample(Role.CSM),
    "end_session": Sample(Role.CSM),
    "list_their_sessions": Sample(Role.ADMIN),
    "end_their_sessions": Sample(Role.ADMIN),
    "end_their_session": Sample(Role.ADMIN),
    "list_identities": Sample(Role.CSM),
    "unlink_identity": Sample(Role.ADMIN),
    "list_tokens": Sample(Role.CSM),
    "issue_token": Sample(
        Role.ADMIN, {"name": "a pipeline", "otp": OTP, "scopes": ["account.read"], "scope": "all"}
    ),
    "read_token": Sample(Role.CSM),
    "revoke_token": Sample(Role.CSM),
    "sign_in": Sample(None, {"email": "nina@msp.example", "password": "a long enough password", "otp": OTP}),
    "read_document": Sample(None),
}


def path_of(operation: Operation, **names: str) -> str:
    """Give an operation's path with names put in; what is not named is nothing's."""
    return operation.path.format_map({**ABSENT, **names}) + SAMPLES[operation.name].query


def operation_named(name: str) -> Operation:
    """Find an operation."""
    return next(each for each in OPERATIONS if each.name == name)
