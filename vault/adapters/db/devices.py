"""Columns of a version that tell of its MFA device at AWS: that it was removed, when, and whose word that is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column

from vault.adapters.db.columns import moment, words


def removal() -> tuple[Column[Any], Column[Any], CheckConstraint]:
    """Make them, with the check that they are said together, and of a seed."""
    whole = CheckConstraint(
        "(device_removed_at IS NULL) = (device_removed_by IS NULL)"
        " AND (device_removed_at IS NULL OR kind = 'mfa')",
        name="device_removed_whole",
    )
    return moment("device_removed_at", nullable=True), words("device_removed_by", nullable=True), whole
