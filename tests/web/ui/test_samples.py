"""The page that draws a sample: a form without script, a file with proofs, refusals beside the form."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.web.ui.test_views import Browser, ask, operator
from vault.domain.actor import Role

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House, Member

__all__ = ["operator"]


@pytest.fixture
def auditor(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    """Sit an auditor of everything at a browser."""
    return Browser(application, house.appoint(admins, "uma@msp.example", Role.AUDITOR))


def test_an_auditor_draws_a_sample(auditor: Browser, operator: Browser, house: House) -> None:
    ask(operator)
    assert "Draw and take it" in auditor.get("/sample").text
    answer = auditor.post("/sample", type="checkout.requested,checkout.granted", n="1", seed="tossed-4")
    assert answer.status_code == 200
    index = house.events("audit.sampled")[0]["seq"]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="sample-{index}.tar"'
    with tarfile.open(fileobj=io.BytesIO(answer.data)) as tar:
        file = tar.extractfile("sample/population.json")
        assert file is not None
        told = json.load(file)
    assert (told["count"], len(told["items"]), told["seed"]) == (2, 1, "tossed-4")


@pytest.mark.parametrize(
    "asked",
    [{"n": "many"}, {"n": "0"}, {"seed": "two words"}, {"since": "yesterday"}, {"customer": "nobody"}],
)
def test_a_refusal_is_shown_with_what_was_typed(
    auditor: Browser, house: House, asked: dict[str, str]
) -> None:
    answer = auditor.post("/sample", account="111122223333", **asked)
    assert answer.status_code in {404, 422}
    if answer.status_code == 422:
        assert 'role="alert"' in answer.text
        assert 'value="111122223333"' in answer.text
    assert house.events("audit.sampled") == []


def test_nobody_else_draws(operator: Browser) -> None:
    assert operator.get("/sample").status_code == 403
    assert operator.post("/sample").status_code == 403
