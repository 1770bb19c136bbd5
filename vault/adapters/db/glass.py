"""What a checkout keeps of a broken glass and its review, and of the second person under split custody."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Boolean, CheckConstraint, Column, false

from vault.adapters.db.columns import choice, moment, words
from vault.adapters.db.types import Key
from vault.domain.checkout import Verdict

Made: TypeAlias = "Column[str] | Column[bool] | CheckConstraint"


def columns() -> tuple[Made, ...]:
    """Make the columns, with what the database refuses about them."""
    return (
        Column("break_glass", Boolean, nullable=False, server_default=false()),
        Column("revoked_id", Key),
        words("reviewed_by", nullable=True),
        moment("reviewed_at", nullable=True),
        choice("verdict", Verdict, nullable=True),
        words("review_note", nullable=True),
        Column("second_id", Key),
        words("second_name", nullable=True),
        moment("joined_at", nullable=True),
        CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)"
            " AND (reviewed_at IS NULL OR break_glass)",
            name="review_whole",
        ),
        CheckConstraint("(second_id IS NULL) = (joined_at IS NULL)", name="second_whole"),
        CheckConstraint("second_id <> requester_id", name="second_is_another"),
    )
