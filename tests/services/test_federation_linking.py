"""Linking an identity to a person, and unlinking it; what holds while the provider is away or required."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.federation import GROUPS, Stage
from tests.support.people import came
from tests.support.provider import Trusting, join
from tests.support.replay import check_replay
from vault.domain.actor import Power, Role, Scope, ScopeKind
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from vault.ports.identities import Redemption, Rejected
from vault.services.federation import Back
from vault.services.signin import token_hash


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("federation"))


@pytest.fixture
def stage(shared: Stage) -> Iterator[Stage]:
    shared.join()
    yield shared
    shared.unlink_all()


def test_an_identity_is_one_persons_and_a_person_has_one(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    with pytest.raises(Conflict) as taken:
        stage.link(stage.admins[0], "olga-7")
    with pytest.raises(Conflict) as second:
        stage.link(stage.olga, "olga-8")
    assert {taken.value.code, second.value.code} == {"identity.exists"}
    assert "olga" not in taken.value.detail


def test_linking_takes_the_same_browser_session_and_a_fresh_code(stage: Stage) -> None:
    federation = stage.house.vault.federation
    olga = stage.actor(stage.olga)
    begun = federation.begin_link(olga)
    mine = begun.browser.expose()
    stage.come_back(begun.browser, "olga-7")
    assert federation.to_link(olga, mine).subject == "olga-7"
    for other, cookie in (
        (stage.actor(stage.olga), mine),  # another session of hers
        (stage.actor(stage.admins[0]), mine),
        (olga, "another browser"),
    ):
        with pytest.raises(Unauthenticated):
            federation.link(other, cookie, stage.olga.code())
    with pytest.raises(Unauthenticated) as caught:
        federation.link(olga, mine, stage.olga.wrong_code())
    assert caught.value.code == "auth.refused"
    federation.link(olga, mine, stage.olga.code())
    with pytest.raises(Unauthenticated):
        federation.link(olga, mine, stage.olga.code())


def test_a_visit_to_link_opens_no_session_and_one_to_sign_in_links_nothing(stage: Stage) -> None:
    federation = stage.house.vault.federation
    olga = stage.actor(stage.olga)
    to_link = federation.begin_link(olga)
    stage.come_back(to_link.browser, "olga-7")
    with pytest.raises(Unauthenticated):
        federation.vouched(to_link.browser.expose())
    to_sign_in = federation.begin("")
    stage.come_back(to_sign_in.browser, "olga-7")
    with pytest.raises(Unauthenticated):
        federation.link(olga, to_sign_in.browser.expose(), stage.olga.code())


def test_a_program_links_nothing(stage: Stage) -> None:
    issued = stage.house.vault.tokens.issue_own(stage.actor(stage.olga), "scripts", stage.olga.code())
    bearer = stage.house.vault.tokens.resolve(issued.text)
    assert bearer is not None
    with pytest.raises(Forbidden):
        stage.house.vault.federation.begin_link(bearer.actor(came()))


def test_unlinking_is_at_once_and_an_administrators_ends_the_sessions(stage: Stage) -> None:
    federation, signin = stage.house.vault.federation, stage.house.vault.signin
    identity = stage.link(stage.olga, "olga-7")
    signed = stage.by_provider("olga-7", "operators", otp=stage.olga.code())
    with pytest.raises(Forbidden):
        federation.unlink(
            stage.actor(stage.house.appoint(stage.admins, "uma@msp.example", Role.AUDITOR)), identity.id
        )
    federation.unlink(stage.actor(stage.admins[0]), identity.id)
    assert signin.resolve(signed.token) is None
    assert "auth.refused" in stage.refused("olga-7", stage.olga.code())
    again = stage.link(stage.olga, "olga-7")
    ada = stage.actor(stage.admins[0])
    with pytest.raises(NotFound):
        federation.unlink(ada, "no-such")
    mine = stage.actor(stage.olga)
    federation.unlink(mine, again.id)
    assert federation.of(mine, stage.olga.id) == ()


def test_where_it_is_required_a_password_does_not_do_for_who_is_linked(stage: Stage) -> None:
    stage.join(required=True)
    stage.house.sign_in(stage.olga)  # linked nothing yet
    stage.link(stage.olga, "olga-7")
    with pytest.raises(Unauthenticated) as caught:
        stage.house.sign_in(stage.olga)
    assert caught.value.code == "auth.provider_required"
    stage.house.sign_in(stage.admins[0])
    assert stage.by_provider("olga-7", "operators", otp=stage.olga.code()).person.id == stage.olga.id
    with pytest.raises(Unauthenticated) as wrong:
        stage.house.vault.signin.begin(
            stage.olga.email, Secret("not the password"), stage.olga.code(), came("203.0.113.4")
        )
    assert wrong.value.code == "auth.refused"  # who does not know the password learns nothing


class Away(Trusting):
    """A provider that does not answer any more."""

    def redeem(self, came: Redemption, now: object) -> Rejected:
        """Fail."""
        raise Unavailable("identity.unavailable", "away")


def test_while_the_provider_is_away_passwords_go_on_and_the_log_knows(stage: Stage) -> None:
    away = Away()
    join(stage.house, away, GROUPS)
    begun = stage.house.vault.federation.begin("")
    state, code = away.vouch("olga-7")
    with pytest.raises(Unavailable):
        stage.house.vault.federation.answer(begun.browser.expose(), Back(state, code), came("192.0.2.99"))
    assert stage.refusals()[0] == "provider away"
    assert stage.house.sign_in(stage.olga).person.id == stage.olga.id


def test_without_a_provider_there_is_no_way_to_one(stage: Stage) -> None:
    federation = replace(stage.house.vault.federation, provider=None)
    with pytest.raises(NotFound):
        federation.begin("")


def test_nothing_of_a_visit_is_kept_that_opens_anything(stage: Stage) -> None:
    begun = stage.house.vault.federation.begin("")
    state, nonce, verifier = stage.provider.left[-1]
    assert len(verifier) == 43
    with stage.house.vault.units.read() as unit:
        kept = unit.visits.of_browser(token_hash(begun.browser))
    assert kept is not None
    for secret in (state, nonce, verifier, begun.browser.expose()):
        assert secret not in repr(kept)


def test_an_administrator_of_one_customer_unlinks_nobody_elsewhere(stage: Stage) -> None:
    identity = stage.link(stage.olga, "olga-7")
    ada = stage.actor(stage.admins[0])
    local = replace(ada, id="local", powers=(Power(Role.ADMIN, Scope(ScopeKind.CUSTOMER, "one")),))
    federation = stage.house.vault.federation
    assert federation.of(local, stage.olga.id) == ()
    for act in (federation.unlink, federation.get):
        with pytest.raises(NotFound):
            act(local, identity.id)
    assert federation.get(ada, identity.id) == identity


def test_the_log_tells_who_is_who_there(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    stage.by_provider("olga-7", "operators", otp=stage.olga.code())
    check_replay(stage.house.world)
