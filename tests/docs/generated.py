"""Documents that are drawn from the code: run ``python -m tests.docs.generated`` to write them anew.

A test compares each file with what would be written now, so that table and picture cannot drift apart.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.docs.access import access
from tests.docs.export_formats import export_formats
from tests.docs.policy_words import CHANGING
from tests.docs.told import audiences
from vault.domain.account import CUSTODY, Kind
from vault.domain.actor import Role
from vault.domain.agreement import words
from vault.domain.case import CASE, HANDOVER, PLACE
from vault.domain.checkout import CHECKOUT
from vault.domain.credential import PART, VERSION
from vault.domain.event import CATALOGUE
from vault.domain.keyless import KEYLESS
from vault.domain.lifecycle import Lifecycle
from vault.domain.policy import Permission, Policy
from vault.domain.policy_document import parse_policy
from vault.domain.reason import Situation
from vault.domain.rotation import ROTATION
from vault.errors import CODES

ROOT = Path(__file__).parents[2]
NOTE = "<!-- Drawn from the code by `python -m tests.docs.generated`; a test compares. -->\n"

ABOUT = {
    "account": "Custody of an account: who answers for its root now. `customer_held` is where an ECAM member begins "
    "and stays; `keyless` is a member whose root credentials were removed centrally.",
    "case": "An onboarding, a closure or a move. Where its steps stand is computed, never stored.",
    "case_account": "One account in its case.",
    "checkout": "A checkout claims its account while pending, approved or active: at most one, by a unique index.",
    "handover": "Accounts that are given back. Cancelled only before the first step that cannot be undone.",
    "keyless": "A member's root on the way to no credentials, and back. Whoever is stopped goes on from here.",
    "part": "Each of password and mfa. A value that was displayed and not attested is unknown, never forgotten.",
    "rotation": "One attempt to change one part. It belongs to the account: the next holder of its lease goes on.",
    "version": "Versions are immutable; only the label moves. Previous ones open until the new one is proven.",
}


def state_machines() -> str:
    """Draw every lifecycle as a diagram and as rows."""
    tables: tuple[Lifecycle[Any, Any], ...] = (
        *(CHECKOUT, PART, ROTATION, VERSION, CUSTODY, KEYLESS),
        *(HANDOVER, CASE, PLACE),
    )
    return "\n".join([NOTE, "# State machines", *(_machine(table) for table in tables)])


def _machine(table: Lifecycle[Any, Any]) -> str:
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in table.transitions.items():
        arrows.setdefault((state, after), []).append(event)
    drawn = [f"    {state} --> {after}: {', '.join(events)}" for (state, after), events in arrows.items()]
    ends = [f"    {state} --> [*]" for state in sorted(table.final())]
    diagram = ["```mermaid", "stateDiagram-v2", f"    [*] --> {table.start}", *drawn, *ends, "```"]
    rows = [f"| {state} | {event} | {after} |" for (state, event), after in table.transitions.items()]
    head = ["", "| in state | event | then |", "| --- | --- | --- |"]
    return "\n".join([f"\n## {table.name}\n\n{ABOUT[table.name]}\n", *diagram, *head, *rows])


def policy_tables() -> str:
    """Show the shipped policy as tables."""
    policy = _shipped()
    parts = [
        NOTE,
        "# The policy as shipped",
        "",
        "What is not here is denied. The file is `config/policy.toml`.",
        CHANGING,
    ]
    return "\n".join([*parts, *_permissions(policy), *_reasons(policy), *_not_root(policy), *_limits(policy)])


def _shipped() -> Policy:
    raw = (ROOT / "config" / "policy.toml").read_bytes()
    return parse_policy(tomllib.loads(raw.decode()), "")


def _permissions(policy: Policy) -> list[str]:
    head = ["", "## Who may do what", "", f"| permission | {' | '.join(Role)} | machine |"]
    rule = "| --- " * (len(Role) + 2) + "|"
    rows = []
    for permission in Permission:
        marks = ["✓" if role in policy.permissions[permission] else "" for role in Role]
        machine = "by scope" if permission in policy.machine_scopes else ""
        rows.append(f"| `{permission}` | {' | '.join(marks)} | {machine} |")
    together = (
        "No person holds admin together with operator or approver. Each grant reaches as far as its scope: "
    )
    return [*head, rule, *rows, "", together + "everything, one customer, or one account."]


def _reasons(policy: Policy) -> list[str]:
    head = [
        "",
        "## Accepted reasons",
        "",
        "| reason | for | while | approvals | longest | instead |",
        "| --- " * 6 + "|",
    ]
    rows = []
    for reason in policy.reasons.values():
        kinds = (
            "any" if reason.kinds == set(Kind) else ", ".join(kind for kind in Kind if kind in reason.kinds)
        )
        states = ", ".join(state for state in Situation if state in reason.situations)
        instead = "; ".join(f"{kind}: {way}" for kind, way in reason.instead.items())
        longest = f"{reason.max_seconds // 60} min"
        agreed = words(reason.needs) if reason.needs else "0"
        rows.append(
            f"| `{reason.code}` {reason.title} | {kinds} | {states} | {agreed} | {longest} | {instead} |"
        )
    return [*head, *rows]


def _not_root(policy: Policy) -> list[str]:
    head = ["", "## Asked for, and not root's work", "", "| task | do this instead |", "| --- | --- |"]
    return [*head, *(f"| `{code}` | {way} |" for code, way in policy.refused.items())]


def _limits(policy: Policy) -> list[str]:
    limits = policy.limits
    names = [name for name in type(limits).__slots__ if name not in {"longest_age", "ticket_pattern"}]
    rows = [f"| `{name}` | {getattr(limits, name)} |" for name in names]
    rows.append(f"| `longest_age_days` | {limits.longest_age.days} |")
    rows.append(f"| `ticket_pattern` | `{limits.ticket_pattern}` |")
    return ["", "## Limits", "", "| limit | value |", "| --- | --- |", *rows]


def events() -> str:
    """List every event of the log."""
    rows = [f"| `{event}` | {words} |" for event, words in CATALOGUE.items()]
    return "\n".join([NOTE, "# Events in the log", "", "| type | what happened |", "| --- | --- |", *rows])


def errors() -> str:
    """List every error code."""
    rows = [f"| `{code}` | {words} |" for code, words in sorted(CODES.items())]
    head = ["", "Codes are stable. `detail` beside them says what to do next, in the words of the case.", ""]
    return "\n".join([NOTE, "# Error codes", *head, "| code | meaning |", "| --- | --- |", *rows])


def gates() -> str:
    """Say who gets past the gate of each route."""
    return NOTE + "\n" + access(_shipped())


DOCUMENTS: dict[str, Callable[[], str]] = {
    "state-machines.md": state_machines,
    "policy.md": policy_tables,
    "access.md": gates,
    "events.md": events,
    "errors.md": errors,
    "audiences.md": lambda: NOTE + "\n" + audiences().rstrip("\n"),
    "formats-export.md": lambda: NOTE + "\n" + export_formats(),
}


def main() -> None:
    """Write all documents."""
    for name, text in DOCUMENTS.items():
        (ROOT / "docs" / name).write_text(text() + "\n", "utf-8")


if __name__ == "__main__":
    main()
