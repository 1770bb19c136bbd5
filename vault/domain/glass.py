"""Broken glass: what it waives of the policy, and what it does not.

Decided here: that approvals and "due" are waived, and nothing else: kind, custody, hours and the longest lease stay.
Never decided here: who may break it, and what follows (`services/glass`).
"""

from __future__ import annotations

from dataclasses import replace

from vault.domain.policy import Deny, Facts, Permit, Policy
from vault.domain.reason import behind_glass


def decide_glass(policy: Policy, code: str, seconds: int, facts: Facts) -> Permit | Deny:
    """Decide whether a stated reason opens an account behind broken glass: approvals and due are waived."""
    as_if = behind_glass(facts.account.custody, facts.situation)
    decision = policy.decide_reason(code, seconds, replace(facts, situation=as_if, approvers=None))
    longest = policy.limits.break_glass_seconds
    if not isinstance(decision, Deny) and seconds > longest:
        return Deny("policy.denied", f"Broken glass lasts at most {longest} seconds; ask for less.", code)
    return decision
