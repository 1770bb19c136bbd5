"""The place of a sealed value (SECURITY S10)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.crypto.conftest import VAULT
from vault.crypto.context import VERSION_MAX, Context

places = st.builds(
    Context,
    st.uuids().map(str),
    st.from_regex(r"\A[0-9]{12}\Z").filter(str.isascii),
    st.sampled_from(["password", "mfa", "mail"]),
    st.integers(1, VERSION_MAX),
)


def test_pairs_name_the_place_and_nothing_else(context: Context) -> None:
    assert context.pairs() == {
        "account": "111122223333",
        "app": "root-vault",
        "format": "1",
        "kind": "password",
        "vault": VAULT,
        "version": "7",
    }


def test_associated_data_is_canonical_json_of_the_pairs(context: Context) -> None:
    assert context.associated_data() == (
        b'{"account":"111122223333","app":"root-vault","format":"1","kind":"password",'
        b'"vault":"7b0c9c2e-7a34-4f0a-9f10-1c7a4a1e4c11","version":"7"}'
    )


@given(places, places)
def test_different_places_have_different_associated_data(one: Context, other: Context) -> None:
    assert (one == other) == (one.associated_data() == other.associated_data())
    assert json.loads(one.associated_data()) == one.pairs()


@pytest.mark.parametrize(
    "wrong",
    [
        {"vault": VAULT.upper()},
        {"vault": VAULT.replace("-", "")},
        {"vault": "vault"},
        {"account": "11112222333"},
        {"account": "11112222333\u0663"},
        {"account": "111122223333\n"},
        {"kind": "Password"},
        {"kind": ""},
        {"kind": "password "},
        {"version": 0},
        {"version": -1},
        {"version": VERSION_MAX + 1},
        {"format": 0},
        {"format": 256},
    ],
)
def test_a_malformed_place_is_refused(context: Context, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is"):
        dataclasses.replace(context, **wrong)
