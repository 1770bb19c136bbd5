"""Signing in by an identity provider: it replaces the password, takes powers away, and lets nobody in by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.federation import Stage
from tests.support.people import came
from vault.domain.actor import Role
from vault.domain.identity import withheld
from vault.errors import Unauthenticated
from vault.ports.store import Slice
from vault.services.federation import Back


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("federation"))


@pytest.fixture
def stage(shared: Stage) -> Iterator[Stage]:
    shared.join()
    yield shared
    shared.unlink_all()


def test_who_linked_an_identity_signs_in_by_it_and_a_code(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    signed = stage.by_provider("olga-7", "operators", "approvers", otp=stage.olga.code())
    assert signed.person.id == stage.olga.id
    assert (signed.session.issuer, signed.session.mfa) == (stage.provider.issuer, "totp")
    known = stage.house.vault.signin.resolve(signed.token)
    assert known is not None
    assert {power.role for power in known.powers} == {Role.OPERATOR, Role.APPROVER}
    entry = stage.house.events("session.opened")[0]
    assert entry["detail"]["issuer"] == stage.provider.issuer  # type: ignore[index] # an entry's JSON


def test_linking_tells_the_log_whose_and_where(stage: Stage) -> None:
    made = stage.link(stage.olga, "olga-7")
    entry = stage.house.events("identity.linked")[0]
    assert entry["detail"] == {
        "identity": made.id,
        "person": stage.olga.id,
        "issuer": stage.provider.issuer,
    }
    assert entry["actor"]["mfa"] == "totp"  # type: ignore[index] # an entry's JSON


def test_the_provider_never_replaces_the_second_factor(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    code = stage.olga.code()
    stage.by_provider("olga-7", "operators", otp=code)
    assert "auth.refused" in stage.refused("olga-7", "")
    assert "auth.refused" in stage.refused("olga-7", stage.olga.wrong_code())
    assert "otp.used" in stage.refused("olga-7", code)
    stage.house.world.clock.advance(minutes=20)


def test_groups_take_listed_roles_away_and_never_add_one(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    for groups, roles in {
        ("operators",): {Role.OPERATOR},
        ("seniors",): {Role.APPROVER},
        ("admin", "auditors", "root"): set(),
        (): set(),
    }.items():
        signed = stage.by_provider("olga-7", *groups, otp=stage.olga.code())
        known = stage.house.vault.signin.resolve(signed.token)
        assert known is not None
        assert {power.role for power in known.powers} == roles
        assert set(known.actor(came()).roles) == roles


def test_a_role_that_is_not_listed_is_not_the_providers_to_judge(stage: Stage) -> None:
    stage.join(listed=False)
    stage.link(stage.olga, "olga-7")
    signed = stage.by_provider("olga-7", otp=stage.olga.code())
    assert {power.role for power in signed.powers} == {Role.OPERATOR, Role.APPROVER}
    assert withheld({}, frozenset()) == frozenset()


def test_a_role_given_later_is_withheld_in_a_session_that_stands(stage: Stage) -> None:
    stage.link(stage.admins[0], "ada-1")
    signed = stage.by_provider("ada-1", otp=stage.admins[0].code())
    assert [power.role for power in signed.powers] == [Role.ADMIN]
    assert signed.session.withheld == {"operator", "approver"}


def test_tokens_made_in_a_limited_session_are_limited_as_well(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    signed = stage.by_provider("olga-7", "operators", otp=stage.olga.code())
    tokens = stage.house.vault.tokens
    issued = tokens.issue_own(signed.actor(came()), "scripts", stage.olga.code())
    at_sign_in = tokens.issue_at_sign_in(
        stage.by_provider("olga-7", "operators", otp=stage.olga.code()), came(), "more"
    )
    for text in (issued.text, at_sign_in.text):
        bearer = tokens.resolve(text)
        assert bearer is not None
        assert {power.role for power in bearer.powers} == {Role.OPERATOR}
        assert bearer.actor(came()).roles == (Role.OPERATOR,)


def test_a_stranger_a_disabled_person_and_a_wrong_code_get_one_answer(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    carl = stage.house.appoint(stage.admins, f"carl{len(stage.provider.left)}@msp.example", Role.AUDITOR)
    stage.link(carl, "carl-1")
    stage.house.vault.people.disable(stage.actor(stage.admins[0]), carl.id)
    answers = {
        stage.refused("nobody-5", "123456"),
        stage.refused("carl-1", carl.code()),
        stage.refused("olga-7", stage.olga.wrong_code()),
    }
    assert len(answers) == 1
    whys = stage.refusals()
    assert "not linked" in whys
    assert "disabled" in whys


def test_an_e_mail_address_proves_nothing(stage: Stage) -> None:
    federation = stage.house.vault.federation
    begun = federation.begin("")
    state, code = stage.provider.vouch("mallory", label=stage.olga.email)
    federation.answer(begun.browser.expose(), Back(state, code), came())
    _, vouched = federation.vouched(begun.browser.expose())
    assert vouched is None
    with pytest.raises(Unauthenticated):
        stage.house.vault.signin.begin_vouched(vouched, stage.olga.code(), came())


def test_nobody_is_made_by_signing_in(stage: Stage) -> None:
    def people() -> int:
        with stage.house.vault.units.read() as unit:
            return len(unit.people.page(Slice(limit=100)).items)

    before = people()
    stage.refused("somebody-new", "000000")
    assert people() == before


def answer(stage: Stage, browser: str, back: Back) -> str:
    """Come back; give the reason that the log has."""
    with pytest.raises(Unauthenticated) as caught:
        stage.house.vault.federation.answer(
            browser, back, came(f"198.51.100.{len(stage.provider.left) % 250}")
        )
    assert caught.value.code == "auth.provider_refused"
    return stage.refusals()[0]


def test_what_came_back_counts_once_for_the_browser_that_left(stage: Stage) -> None:
    federation = stage.house.vault.federation
    begun = federation.begin("")
    mine = begun.browser.expose()
    state, code = stage.provider.vouch("olga-7")
    assert answer(stage, mine, Back("another state", code)) == "state"
    assert answer(stage, mine, Back("", code)) == "state"
    assert answer(stage, "another browser", Back(state, code)) == "another browser"
    assert answer(stage, "", Back(state, code)) == "another browser"
    assert answer(stage, mine, Back(state, "")) == "no code"
    assert answer(stage, mine, Back(state, "x" * 5_000)) == "no code"
    federation.answer(mine, Back(state, code), came())
    assert answer(stage, mine, Back(state, code)) == "answered before"


def test_a_code_of_another_visit_is_refused(stage: Stage) -> None:
    federation = stage.house.vault.federation
    federation.begin("")
    _, stolen = stage.provider.vouch("olga-7")
    mine = federation.begin("")
    state, _ = stage.provider.vouch("mallory")
    assert answer(stage, mine.browser.expose(), Back(state, stolen)) == "the code was not accepted"


def test_a_visit_is_over_after_ten_minutes(stage: Stage) -> None:
    federation = stage.house.vault.federation
    begun = federation.begin("")
    state, code = stage.provider.vouch("olga-7")
    stage.house.world.clock.advance(minutes=10)
    assert answer(stage, begun.browser.expose(), Back(state, code)) == "too late"
    begun = federation.begin("")
    stage.come_back(begun.browser, "olga-7")
    stage.house.world.clock.advance(minutes=10)
    with pytest.raises(Unauthenticated):
        federation.vouched(begun.browser.expose())
    with stage.house.vault.units.read() as unit:
        assert unit.visits.of_browser("none") is None


def test_what_the_provider_refuses_is_told_in_plain_words(stage: Stage) -> None:
    federation = stage.house.vault.federation
    begun = federation.begin("")
    state, _ = stage.provider.vouch("olga-7")
    back = Back(state, error="access_denied\n<b>\u202e" + "x" * 100)
    assert answer(stage, begun.browser.expose(), back) == "provider: access_deniedb" + "x" * 22


def test_a_word_of_the_provider_opens_one_session(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    federation, signin = stage.house.vault.federation, stage.house.vault.signin
    begun = federation.begin("")
    stage.come_back(begun.browser, "olga-7", "operators")
    _, vouched = federation.vouched(begun.browser.expose())
    signin.begin_vouched(vouched, stage.olga.code(), came())
    with pytest.raises(Unauthenticated):
        federation.vouched(begun.browser.expose())
    with pytest.raises(Unauthenticated) as caught:
        signin.begin_vouched(vouched, stage.olga.code(), came())
    assert caught.value.code == "auth.provider_refused"


def test_a_word_about_one_person_opens_no_session_of_another(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    federation, signin = stage.house.vault.federation, stage.house.vault.signin
    begun = federation.begin("")
    stage.come_back(begun.browser, "olga-7")
    _, vouched = federation.vouched(begun.browser.expose())
    assert vouched is not None
    with pytest.raises(Unauthenticated):
        signin.begin_vouched(
            replace(vouched, person_id=stage.admins[0].id), stage.admins[0].code(), came("203.0.113.9")
        )


def test_guessing_codes_gets_slow_behind_the_provider_as_well(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    codes = [stage.refused("olga-7", stage.olga.wrong_code()) for _ in range(7)]
    assert "auth.delayed" in codes[-1]
    stage.house.world.clock.advance(minutes=20)
