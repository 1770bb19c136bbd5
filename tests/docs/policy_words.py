# ruff: noqa: E501 - a row of a table is one line
"""What docs/policy.md says of how the policy changes, above the tables that are drawn from the file."""

from __future__ import annotations

from typing import Final

CHANGING: Final = """
The file is never loaded by itself. A version counts when two administrators agreed to exactly its bytes in the log; until
then the last one that was agreed to stays in force, on every host, and `rootvault doctor`, `/readyz` (`degraded`) and the
page Policy say that the file waits. Each checkout names the version that it passed (`policy_hash`).

| step | by whom | where |
| --- | --- | --- |
| look what a file would change, and for how long it would wait | who has the host | `rootvault policy check [FILE]`: a fault names its line |
| propose it | an administrator, with a fresh factor | page Policy, `POST /policy/proposals`, `rootvault policy propose FILE --why …` |
| agree to it | another administrator, with a fresh factor | page Second word, `rootvault proposals ID --agree` |
| it counts | | at once where every difference takes power away; else after `people.hold_seconds`, in which one administrator may end it |

Whatever cannot be told for certain to take power away adds it: a pattern that changes, hours in another zone, a list of
approvals of which the old one does not follow. Agreeing to a version ends those that still wait. A version in force is
replaced by another, never ended.

Why something is not open to you says the page *Why, gate by gate*, `GET /policy/explain` and `rootvault policy explain ACCOUNT
REASON`: every gate, passed or closed, with what would be needed.

What a file may say beyond the tables below:

- `approvals` is a number, or a list of `{ role, count, scope }`; `scope` (`account`, `customer`, `all`) is how wide the approver's own
  grant has to be. Each person counts once in a list.
- `hours = "NAME"` with `[hours.NAME]` (`zone`, `days`, `from`, `until`): outside it the reason opens nothing (`policy.hours`, which names
  the next opening), neither at the asking nor at the first step-up; a lease that runs goes on. A window that ends before it
  begins goes past midnight. A time that the clocks leave out begins when they have jumped over it; one that they show
  twice begins the first and ends the second time. Breaking the glass waives approvals and what is due, never hours.
- `[[stricter]]` (`scope = "customer:DDI-or-id"` or `"account:NUMBER"`, `reasons`, `approvals`, `max_seconds`, `hours`) asks for more where it
  applies and never loosens: each list of approvals is met by itself, and one person's word counts in both; of seconds the least
  counts; all hours have to be open."""
