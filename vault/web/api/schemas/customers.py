"""Customers on the wire (C1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from vault.domain.account import Customer
from vault.services.customers import CustomerFacts
from vault.web.api.schemas.base import Body, Line, PageQuery, Resource

Seconds = Annotated[int, Field(ge=0, le=1_000_000)]


class CustomerQuery(PageQuery):
    """Which customers."""

    q: Line | None = Field(default=None, description="Text in the DDI or the name.")


class _Facts(Body):
    public_sector: bool | None = None
    aws_india: bool | None = None
    session_idle_seconds: Seconds | None = Field(default=None, description="The customer's own limit (U3).")
    session_max_seconds: Seconds | None = Field(default=None, description="The customer's own limit (U3).")

    def facts(self, name: str | None) -> CustomerFacts:
        """Give what the service takes."""
        return CustomerFacts(
            name=name,
            public_sector=self.public_sector,
            aws_india=self.aws_india,
            session_idle_seconds=self.session_idle_seconds,
            session_max_seconds=self.session_max_seconds,
        )


class NewCustomer(_Facts):
    """A customer to register."""

    ddi: Line
    name: Line


class CustomerChange(_Facts):
    """What to change; what is left out stays."""

    name: Line | None = None


class CustomerResource(Resource):
    """A customer, named by its DDI."""

    id: str
    ddi: str
    name: str
    public_sector: bool
    aws_india: bool
    session_idle_seconds: int | None
    session_max_seconds: int | None
    split_custody: bool = Field(
        description="Whether password and codes of its accounts go to two people (C8)."
    )
    created_at: datetime

    @classmethod
    def of(cls, customer: Customer) -> CustomerResource:
        """Show one."""
        return cls(
            id=customer.id,
            ddi=customer.ddi,
            name=customer.name,
            public_sector=customer.public_sector,
            aws_india=customer.aws_india,
            session_idle_seconds=customer.session_idle_seconds,
            session_max_seconds=customer.session_max_seconds,
            split_custody=customer.split_custody,
            created_at=customer.created_at,
        )
