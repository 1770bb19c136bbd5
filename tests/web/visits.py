"""How tests visit: signing in with a form, and carrying a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.people import Member


def enter(client: FlaskClient, member: Member, **headers: str) -> int:
    """Sign a browser in by the form, as the page does."""
    form = {
        "email": member.email,
        "password": member.password,
        "otp": member.code(),
        "csrf_token": client.get("/form").text,
    }
    return client.post("/sign-in", data=form, headers=headers).status_code


def auth(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}
