"""How accounts are welcomed, as settings say it: what cannot be meant is refused before anything is served."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.world import rules
from vault.bootstrap.onboarding import open_onboarding
from vault.domain.instructions import Template
from vault.domain.root_email import AddressPattern
from vault.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from vault.bootstrap.onboarding import Reception

SHIPPED = rules()[0]
GOOD = """[account]
line = "- {account}"
[standalone]
text = "s"
[payer]
text = "p"
[new]
text = "n {company}"
"""


def opened(directory: Path, text: str = GOOD, address: str = "") -> Reception:
    (directory / "onboarding.toml").write_text(text, encoding="utf-8")
    told = replace(SHIPPED.onboarding, root_address=address, instructions_file="onboarding.toml")
    return open_onboarding(replace(SHIPPED, directory=directory, onboarding=told))


def test_what_is_shipped_is_read() -> None:
    made = open_onboarding(SHIPPED)
    assert made.pattern is None
    assert set(made.instructions.texts) == {"standalone", "payer", "new"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("{company}", "{password}"), "no such place"),
        (GOOD.replace("{company}", "{company.__class__}"), "no such place"),
        (GOOD.replace("[payer]", "[payers]"), "is not known"),
        (GOOD.replace('text = "p"', 'text = "p"\nmore = "x"'), "is not known"),
        (GOOD.replace('[new]\ntext = "n {company}"\n', ""), "has no .new."),
        (GOOD.replace('"s"', "7"), "no text"),
        (GOOD.replace('"s"', '" "'), "is empty"),
        ("[", "cannot be read"),
    ],
)
def test_a_template_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        opened(tmp_path, text)
    assert caught.value.code == "settings.invalid"


@pytest.mark.parametrize(
    "address",
    [
        "root@roots.example",
        "{account}@roots.example",
        "aws+{account}@{random}.example",
        "aws+{ddi}-{random}@roots.example",
        "{random}@localhost",
        "{random}",
        "x" * 60 + "{random}@roots.example",
    ],
)
def test_a_pattern_that_makes_no_address_or_one_that_is_guessed_is_refused(
    tmp_path: Path, address: str
) -> None:
    with pytest.raises(Refused, match=r"onboarding\.root_address"):
        opened(tmp_path, address=address)


def test_addresses_and_texts_are_filled_once() -> None:
    pattern = AddressPattern("aws+{account}-{random}@roots.example")
    assert pattern.fill("111122223333", "abc") == "aws+111122223333-abc@roots.example"
    template = Template("{name} of {account}, {name}", ("name", "account"))
    assert template.fill({"name": "{account}{0.x}", "account": "1"}) == "{account}{0.x} of 1, {account}{0.x}"
