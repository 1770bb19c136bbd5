"""What can go wrong, as data: one family, a stable code, a safe sentence with the next step.

Decided here: the families and the words of the codes. Never decided here: HTTP statuses and exit
codes (the edges do that, once, per family). A message carries identifiers, never values; an error
never logs; a cause that could carry plaintext is cut off with ``from None`` where it is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Fact: TypeAlias = str | int | bool | None

CODES: dict[str, str] = {
    # not signed in
    "auth.required": "No valid session or token came with the request.",
    "auth.refused": "E-mail, password or code did not match; which of them is not said.",
    "auth.provider_refused": "What came back from the identity provider does not count, or is not linked to anybody.",
    "auth.provider_required": "Who linked an identity at the provider signs in there, not by password.",
    "auth.step_up_required": "A second factor, fresh for exactly this, is needed first.",
    "auth.passkey_required": "A passkey is enrolled, so a code does not do: the passkey has to confirm exactly this.",
    "auth.enrolment_invalid": "The enrolment link is unknown, used or expired.",
    # not allowed
    "policy.denied": "No rule of the policy allows this to this actor; the refusal is recorded.",
    "policy.reason_unknown": "The reason is not one of the accepted root-only tasks.",
    "policy.hours": "The policy opens this only in certain hours; the answer names the next.",
    "policy.lesser_way": "Another way than root does this for this kind of account.",
    "policy.self_approval": "Nobody approves their own request.",
    "policy.unproven": "The log does not prove which version of the policy is in force, so nothing is decided by it.",
    "policy.second_person": "Someone else has to do this step.",
    "origin.refused": "The request came from another site, or its form token was missing or stale.",
    # not there, or not yours
    "not_found": "There is nothing here under this name, or it is not yours to see.",
    # state and exclusivity
    "checkout.conflict": "The account is already checked out or asked for.",
    "checkout.state": "The checkout is not in a state that allows this.",
    "checkout.expired": "The lease has ended.",
    "approval.duplicate": "One person counts once.",
    "approval.changed": "The request is not the one that was looked at, or a word on it does not count any more.",
    "approval.locked": "Too few people may approve this; nothing opens it until somebody is appointed.",
    "custody.customer_held": "The customer holds this root (ECAM member); we refuse to hold it (DOMAIN C2).",
    "custody.root_keys": "Root access keys must not exist and are never stored (DOMAIN C3).",
    "custody.state": "The account's custody state does not allow this.",
    "custody.email_used": "This root e-mail was used before and can never be used again (DOMAIN L3, C4).",
    "account.limit": "The customer has as many new AWS accounts as it may have (A4); record a limit increase first.",
    "account.exists": "An account with this number is registered already.",
    "customer.exists": "A customer with this DDI is registered already.",
    "person.exists": "A person with this e-mail exists already.",
    "identity.exists": "This identity, or another of this provider for this person, is linked already.",
    "person.state": "The person is not in a state that allows this.",
    "proposal.exists": "Such a proposal waits for a second person already.",
    "proposal.unproven": "The log does not prove that two people agreed to exactly this.",
    "proposal.state": "The proposal is not in a state that allows this.",
    "case.state": "The case, or a step of it, is not in a state that allows this; the answer says what comes first.",
    "case.account": "An account cannot be in this case: another case has it, or its kind or custody forbids it.",
    "case.evidence": "The evidence that a step asks for is missing or not as it should be.",
    "case.busy": "Somebody else is doing this step right now.",
    "case.rule": "A rule that nothing overrides forbids it; the answer names it and the next way.",
    "handover.link": "Link and code do not open the customer's page: wrong, used, replaced or ended.",
    "handover.no_mail": "The settings name no mail server, so no link can go to the customer.",
    "handover.unsent": "No mail server took the letter with the customer's link.",
    "case.unavailable": "AWS did not do all of it; the answer says what is done and what is left.",
    "campaign.over": "The campaign is over.",
    "campaign.account": "An account is not in the campaign, is somebody else's, or is out of reach.",
    "campaign.person": "The person is not one of those whom two people agreed to for the campaign.",
    "notice.state": "The notice is not in a state that allows this.",
    "rotation.state": "The rotation is not in a state that allows this.",
    "rotation.conflict": "A rotation of this part is open already.",
    "keyless.state": "The member's root is not in a state that allows this; the answer says what comes first.",
    "keyless.changed": "AWS has something of this root that was not agreed to; look again, and agree again.",
    "destruction.state": "The credential is not to be destroyed now, or was not: its account is not released.",
    "destruction.list": "The list of destroyed credentials is missing, or is not one that this vault wrote.",
    "mail.known": "This mail came before and is kept.",
    "mail.assigned": "This mail is an account's already, or its address is another account's.",
    "mail.gone": "The mail's content is not there any more, or never was kept here.",
    "mailbox.full": "More mail waits or came lately than is kept; the sender tries again later.",
    "device.state": "The MFA device is in use, or was said to be removed before.",
    "version.absent": "There is no such version of this part to open.",
    "passkey.exists": "This passkey is enrolled already.",
    "passkey.state": "The passkey, or what waits for one, is not in a state that allows this.",
    "passkey.used": "This signature of the passkey was used before; press it again.",
    "otp.used": "This time step's code was used before; wait for the next.",
    "incident.state": "The incident is not in a state that allows this.",
    "finding.state": "The finding is not in a state that allows this, or is mended and never accepted.",
    "inspection.off": "Accounts are not looked at through a role here.",
    "review.state": "This day cannot be signed: it is not over, was signed before, or has open work.",
    "reveal.quota": "This checkout has used up its disclosures of this kind.",
    "idempotency.mismatch": "This Idempotency-Key was used with another request.",
    "idempotency.disclosed": "A disclosure is never replayed; ask again under a new key.",
    "concurrent.change": "Someone changed this at the same moment; nothing was done.",
    # invalid input
    "input.invalid": "The input is not valid; each error names its place.",
    "input.too_large": "The request is larger than is accepted.",
    "input.not_json": "The body is not one well-formed JSON object.",
    "seed.invalid": "The MFA seed is not one that AWS shows.",
    "password.weak": "The password does not meet the rule.",
    "cursor.invalid": "The cursor is not one that this list gave out.",
    "method.not_allowed": "This address does not know this method.",
    "media.unsupported": "The body is of a type that is not accepted here.",
    # locked
    "frozen": "Disclosures are frozen; `scope`, `frozen_by` and `since` say what, by whom and since when.",
    "review.due": "A broken glass was not reviewed yet; only rotation opens the account.",
    "custody.split": "Under split custody, password and codes go to two people (DOMAIN C8).",
    "ticket.refused": "The ticket does not fit this account, person or moment; the refusal is recorded.",
    "ticket.unavailable": "The ticket system does not answer, and the policy lets nothing pass unchecked.",
    "rotation.due": "The credential is due for rotation; only rotation, incident or handover may open it.",
    # limits
    "auth.delayed": "Too many failures; wait before the next try.",
    "limit.requests": "Too many requests.",
    "limit.accounts": "Too many distinct accounts in an hour.",
    # fail closed
    "log.unavailable": "The audit log cannot be written or proven, so nothing was done.",
    "log.unanchored": "No place outside has confirmed the log for too long, so nothing is disclosed.",
    "clock.wrong": "This machine's clock is too far from the others', so nothing is disclosed.",
    "log.rolled_back": "The database is older than what the log has already published.",
    "database.unavailable": "The database does not answer; nothing was done.",
    "internal": "Something unforeseen went wrong; nothing was disclosed.",
    "identity.unavailable": "The identity provider does not answer, or not in time; passwords go on.",
    "mailbox.unavailable": "The queue or bucket from which mail is taken does not answer.",
    "cloud.unavailable": "A source of AWS's records does not answer.",
    "keyless.unavailable": "AWS does not do what was asked of a member's root; the same can be done again.",
    # settings and operation
    "settings.invalid": "A setting is missing or not valid.",
    "policy.invalid": "The policy file is not valid.",
    "import.invalid": "The import file is not valid.",
    "operation.failed": "The operator's command could not be carried out.",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid place of an input: a JSON pointer (RFC 6901) and what to write there instead."""

    pointer: str
    detail: str


class VaultError(Exception):
    """The root of the family; raise one of its children.

    ``code`` is stable and one of `CODES`; ``detail`` says what to do next; ``facts`` are safe
    identifiers that the edge may show (holder, until, rule …); ``retry_after`` is in seconds.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        retry_after: int | None = None,
        errors: tuple[FieldError, ...] = (),
        **facts: Fact,
    ) -> None:
        super().__init__(detail)
        if code not in CODES:
            message = f"undeclared error code {code}"
            raise KeyError(message)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.errors = errors
        self.facts = facts


class Unauthenticated(VaultError):
    """Nobody, or not surely enough the one they say (HTTP 401)."""


class Forbidden(VaultError):
    """Known, and not allowed; the refusal is in the log (HTTP 403)."""


class NotFound(VaultError):
    """Not there, or not within the actor's scope: the two are not told apart (S21, HTTP 404)."""


class Conflict(VaultError):
    """The state, or someone else's claim, does not allow it now (HTTP 409)."""


class Invalid(VaultError):
    """The input is wrong and nothing was changed (HTTP 422)."""


class Blocked(VaultError):
    """Frozen, or blocked until a rotation is done (HTTP 423)."""


class Limited(VaultError):
    """Too often; `retry_after` says when again (HTTP 429)."""


class Unavailable(VaultError):
    """Something we need does not answer: closed, in bounded time (HTTP 503)."""


class Refused(VaultError):
    """The program will not start or run like this (exit status 2)."""


def not_found(what: str, name: str) -> NotFound:
    """Say that `name` is not there or not the asker's, in the same words for both (S21)."""
    check = "date" if what == "day" else "number"
    return NotFound("not_found", f"There is no {what} {name}, or it is not in your scope. Check the {check}.")


# --- keys and envelopes ---------------------------------------------------------------------------

CODES.update(
    {
        "keys.unavailable": "The key service does not answer, or not in time.",
        "keys.throttled": "The key service answers that it is asked too often.",
        "keys.disabled": "The key is disabled.",
        "keys.state": "The key is pending deletion, or in another state that does not allow its use.",
        "keys.not_found": "The key does not exist where its name says.",
        "keys.denied": "The key service does not allow this to our credentials, or there are none.",
        "keys.usage": "The key is not a symmetric encryption key.",
        "keys.unknown": "None of the configured keys made any of the envelope's wraps.",
        "keys.settings": "The settings or the file of a key service cannot be accepted.",
        "envelope.tampered": "A sealed value is damaged, changed, or not in its place.",
        "envelope.wrong_key": "A wrapped key is not of the key that it names.",
        "envelope.format": "A sealed value is of a format that is not known here.",
        "envelope.not_current": "The stored version is not the one that the log calls current.",
        "envelope.too_long": "The text is too long to be sealed.",
        "drill.wrap_missing": "A version has no wrap under a key that the settings name.",
        "recovery.shares": "The shares of the recovery identity do not fit together, or are too few.",
        "recovery.not_wrapped": "No wrapped key is for the recipient whose shares were given.",
    },
)


@dataclass(frozen=True, slots=True)
class KeyCall:
    """One attempt at a key service, as the log keeps it (SECURITY S26).

    `request_id` is the service's own, the empty string if it never answered; `outcome` is ``ok`` or
    the code of the error. It stands here because failures carry it as well.
    """

    operation: str
    key_id: str
    request_id: str
    outcome: str


class KeysUnavailable(Unavailable):
    """A key service could not do its part; `calls` are all attempts made, failed ones too (S5)."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        calls: tuple[KeyCall, ...] = (),
        retry_after: int | None = None,
        **facts: Fact,
    ) -> None:
        super().__init__(code, detail, retry_after=retry_after, errors=(), **facts)
        self.calls = calls


class KeysDisabled(KeysUnavailable):
    """Someone switched the key off: disabled or pending deletion. Trying again does not help."""


class Tampered(Unavailable):
    """A sealed value does not open where it stands: evidence to report, never a reason to retry (S10)."""

    def __init__(self, code: str, detail: str, *, calls: tuple[KeyCall, ...] = (), **facts: Fact) -> None:
        super().__init__(code, detail, retry_after=None, errors=(), **facts)
        self.calls = calls
