"""What databases raise, as our errors: by the constraint's name where a rule was broken, else closed.

Decided here: which constraint means which code, and that nothing of a driver's words goes on, because they
quote values (PostgreSQL's "Key (email)=(…) already exists"). What is kept is the driver's own
name of the condition (SQLSTATE, SQLITE_FULL), which an operator can look up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import psycopg
from sqlalchemy import exc

from audit.errors import AuditError, EntryRefused, RolledBack
from vault.adapters.db.tables import metadata
from vault.errors import Conflict, Invalid, Unavailable, VaultError

CONFLICTS: Final = {
    "customer_ddi_once": ("customer.exists", "A customer with this DDI is registered already."),
    "account_pkey": ("account.exists", "An account with this number is registered already."),
    "root_email_once": (
        "custody.email_used",
        "This root e-mail was used by another account before; AWS never lets it be used again (L3).",
    ),
    "one_open_checkout_per_account": (
        "checkout.conflict",
        "Someone else asked for this account at the same moment. Look who has it, or wait.",
    ),
    "one_approval_per_approver": ("approval.duplicate", "You have decided about this request already."),
    "one_waiting_proposal": (
        "proposal.exists",
        "Such a proposal waits for a second person already; agree to that one, or end it first.",
    ),
    "one_open_case_per_account": (
        "case.account",
        "One of these accounts is in an open case already; an account is in one case at a time.",
    ),
    "one_live_link_per_case": (
        "concurrent.change",
        "Another link to the customer's page was made at the same moment; look again.",
    ),
    "policy_version_pkey": (
        "concurrent.change",
        "Another version of the policy was agreed to at the same moment; look again.",
    ),
    "recovery_recipient_pkey": (
        "concurrent.change",
        "Another recovery recipient was agreed to at the same moment; look again.",
    ),
    "one_open_freeze": ("concurrent.change", "Somebody froze the same at the same moment; it is frozen."),
    "one_unsettled_rotation_per_part": (
        "rotation.conflict",
        "A rotation of this part is open already; go on with that one.",
    ),
    "mail_fingerprint": ("mail.known", "This mail came before, and is kept."),
    "passkey_credential_once": ("passkey.exists", "This passkey is enrolled already."),
    "one_identity_of_subject": (
        "identity.exists",
        "This identity is linked already; it has to be unlinked there first.",
    ),
    "one_identity_of_person": (
        "identity.exists",
        "Another identity of this provider is linked already; unlink that one first.",
    ),
    "person_email_once": ("person.exists", "A person with this e-mail exists already."),
    "version_pkey": ("concurrent.change", "Someone added a version at the same moment; try again."),
    "one_current_version_per_part": (
        "concurrent.change",
        "Someone promoted a version at the same moment; look again.",
    ),
    "one_staged_version_per_part": (
        "concurrent.change",
        "Someone staged a version at the same moment; look again.",
    ),
    "idempotency_pkey": (
        "concurrent.change",
        "The same request under the same Idempotency-Key is being done right now; repeat it later.",
    ),
}
"""A constraint's name to the code and the words of its breach."""

_LOST_RACES: Final = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


def _sqlite_names() -> dict[str, str]:
    """Map what SQLite says of a unique breach (its columns) to the name that it leaves out."""
    names: dict[str, str] = {}
    for table in metadata.tables.values():
        uniques = [(index.name, index.columns) for index in table.indexes if index.unique]
        keys = [
            (constraint.name, constraint.columns)
            for constraint in table.constraints
            if hasattr(constraint, "columns")
            and constraint.__visit_name__ in {"unique_constraint", "primary_key_constraint"}
        ]
        for name, columns in [*uniques, *keys]:
            places = ", ".join(f"{table.name}.{column.name}" for column in columns)
            names[places] = str(name)
    return names


_SQLITE_UNIQUE: Final = _sqlite_names()


@contextmanager
def translated() -> Iterator[None]:
    """Let only our own errors out; those of the log are told apart as well."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error, psycopg.Error) as error:
        _raise(error.orig if isinstance(error, exc.DBAPIError) else error)
    except exc.TimeoutError:
        raise _unavailable("pool") from None
    except UnicodeEncodeError:
        raise Invalid(
            "input.invalid", "A text holds half of a surrogate pair; send well-formed text."
        ) from None
    except EntryRefused as error:
        raise Invalid("input.invalid", f"This cannot be written to the log: {error.words}.") from None
    except RolledBack as error:
        raise rolled_back(error) from None
    except AuditError as error:
        detail = f"The audit log refuses to go on, so nothing was done: {error.words}."
        raise Unavailable("log.unavailable", detail, cause=error.code) from None


def rolled_back(error: AuditError) -> Unavailable:
    """Say that the log cannot be believed: nothing is disclosed until someone found out why."""
    words = error.words.rstrip(".")
    nothing = "" if "may be disclosed" in words else "Nothing is disclosed. "
    detail = f"{words}. {nothing}Treat this as an incident and keep the mark file."
    return Unavailable("log.rolled_back", detail, cause=error.code)


def _raise(error: BaseException | None) -> NoReturn:
    if isinstance(error, (sqlite3.IntegrityError, psycopg.IntegrityError)):
        raise _broken_rule(error) from None
    if isinstance(error, _LOST_RACES):
        detail = "Someone changed this at the same moment; nothing was done. Try again."
        raise Conflict("concurrent.change", detail) from None
    if isinstance(error, psycopg.DataError):
        detail = "A value cannot be kept: it is too long, out of range or holds U+0000."
        raise Invalid("input.invalid", detail, cause=_condition(error)) from None
    raise _unavailable(_condition(error)) from None


def _broken_rule(error: sqlite3.IntegrityError | psycopg.IntegrityError) -> VaultError:
    name = constraint_of(error)
    if name in CONFLICTS:
        code, detail = CONFLICTS[name]
        return Conflict(code, detail)
    return VaultError(
        "internal", f"The database refused this by its rule {name}; nothing was done.", rule=name
    )


def constraint_of(error: sqlite3.IntegrityError | psycopg.IntegrityError) -> str:
    """Name the constraint that was broken, or the driver's condition where it has no name."""
    if isinstance(error, psycopg.IntegrityError):
        return error.diag.constraint_name or _condition(error)
    kind, _, what = str(error).partition(": ")
    if kind == "UNIQUE constraint failed":
        return _SQLITE_UNIQUE.get(what, _condition(error))
    if kind == "CHECK constraint failed":
        return what
    if error.sqlite_errorname == "SQLITE_CONSTRAINT_TRIGGER":
        return kind
    return _condition(error)


def _condition(error: BaseException | None) -> str:
    if isinstance(error, psycopg.Error):
        return error.sqlstate or type(error).__name__
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def _unavailable(cause: str) -> Unavailable:
    detail = (
        "The database does not answer, or cannot write now; nothing was done. Try again in a moment; "
        "`rootvault doctor` says what is wrong."
    )
    return Unavailable("database.unavailable", detail, retry_after=5, cause=cause)
