"""The database adapter: everything that is kept, in SQLite or PostgreSQL, by SQLAlchemy Core.

`engine_for(url)` makes the engine, `upgrade(url)` the tables, `SqlUnits(engine, log, mark, app, policy_hash)`
gives use cases their transactions; `health(engine)` and `check_durable(engine)` look at what durability
rests on. Not an ORM, because its unit of work costs more than the database's (docs/adr).
"""

from vault.adapters.db import (  # the tables' metadata is whole once this package is there
    campaigns,
    cases,
    closures,
    destructions,
    freezes,
    identities,
    inspections,
    keyless,
    leavers,
    mail,
    notices,
    onboarding,
    outside,
    passkeys,
    policies,
    proposals,
    recipients,
    release,
    reused,
    tenures,
)
from vault.adapters.db.engine import Finding, check_durable, engine_for, health
from vault.adapters.db.migrations import current, head, upgrade
from vault.adapters.db.unit_of_work import SqlUnits

__all__ = [
    "Finding",
    "SqlUnits",
    "campaigns",
    "cases",
    "check_durable",
    "closures",
    "current",
    "destructions",
    "engine_for",
    "freezes",
    "head",
    "health",
    "identities",
    "inspections",
    "keyless",
    "leavers",
    "mail",
    "notices",
    "onboarding",
    "outside",
    "passkeys",
    "policies",
    "proposals",
    "recipients",
    "release",
    "reused",
    "tenures",
    "upgrade",
]
