"""Signing in by an identity provider: it replaces the password, takes powers away, and lets nobody in by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.people import Member, came, move_in
from tests.support.provider import Trusting, join
from tests.support.replay import check_replay
from tests.support.world import make_world
from vault.domain.actor import Actor, Power, Role, Scope, ScopeKind
from vault.domain.identity import Identity, Visit, withheld
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable, VaultError
from vault.ports.identities import Redemption, Rejected
from vault.ports.store import Slice
from vault.services.federation import Back
from vault.services.people import Wish
from vault.services.signin import SignedIn, token_hash

GROUPS = {Role.OPERATOR: frozenset({"operators"}), Role.APPROVER: frozenset({"approvers", "seniors"})}


class Stage:
    """A house with a provider, its administrators, and one person who is operator and approver."""

    def __init__(self, directory: Path) -> None:
        self.house = move_in(make_world(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory))
        self.provider = Trusting()
        self.admins = self.house.admins()
        self.join()
        self.olga = self.house.appoint(self.admins, "olga@msp.example", Role.OPERATOR)
        ada, bob = (self.house.actor(each) for each in self.admins)
        people = self.house.vault.people
        grant = people.propose_grant(ada, self.olga.id, Wish(Role.APPROVER))
        people.confirm_grant(bob, grant.id, self.admins[1].code())

    def join(self, *, required: bool = False, listed: bool = True) -> None:
        """Set what the settings say of the provider."""
        join(self.house, self.provider, GROUPS if listed else {}, required=required)

    def actor(self, member: Member) -> Actor:
        """Sign in by password, in a browser."""
        return self.house.actor(member)

    def link(self, member: Member, subject: str) -> Identity:
        """Link a subject to a person, as they do it."""
        actor = self.actor(member)
        begun = self.house.vault.federation.begin_link(actor)
        self.come_back(begun.browser, subject)
        return self.house.vault.federation.link(actor, begun.browser.expose(), member.code())

    def come_back(self, browser: Secret[str], subject: str, *groups: str) -> Visit:
        """Come back as whoever the provider vouches for."""
        state, code = self.provider.vouch(subject, *groups)
        return self.house.vault.federation.answer(browser.expose(), Back(state, code), came())

    def by_provider(self, subject: str, *groups: str, otp: str) -> SignedIn:
        """Sign in by the provider."""
        federation = self.house.vault.federation
        begun = federation.begin("/accounts")
        self.come_back(begun.browser, subject, *groups)
        visit, vouched = federation.vouched(begun.browser.expose())
        assert visit.asked_for == "/accounts"
        return self.house.vault.signin.begin_vouched(vouched, otp, came(), agent="a browser")

    def refusals(self) -> list[str]:
        """Give why the latest sign-ins were refused, newest first."""
        entries = self.house.events("session.refused")
        return [str(entry["detail"].get("why", "")) for entry in entries]  # type: ignore[attr-defined] # JSON


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("federation"))


@pytest.fixture
def stage(shared: Stage) -> Iterator[Stage]:
    shared.join()
    yield shared
    ada = shared.actor(shared.admins[0])
    for member in (shared.olga, *shared.admins):
        for identity in shared.house.vault.federation.of(ada, member.id):
            shared.house.vault.federation.unlink(ada, identity.id)


def refused(stage: Stage, subject: str, otp: str) -> str:
    with pytest.raises(VaultError) as caught:
        stage.by_provider(subject, otp=otp)
    return f"{type(caught.value).__name__} {caught.value.code} {caught.value.detail}"


def test_who_linked_an_identity_signs_in_by_it_and_a_code(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    signed = stage.by_provider("olga-7", "operators", "approvers", otp=stage.olga.code())
    assert signed.person.id == stage.olga.id
    assert (signed.session.issuer, signed.session.mfa) == (stage.provider.issuer, "totp")
    known = stage.house.vault.signin.resolve(signed.token)
    assert known is not None
    assert {power.role for power in known.powers} == {Role.OPERATOR, Role.APPROVER}
    entry = stage.house.events("session.opened")[0]
    assert entry["detail"]["issuer"] == stage.provider.issuer  # type: ignore[index] # JSON


def test_linking_tells_the_log_whose_and_where(stage: Stage) -> None:
    made = stage.link(stage.olga, "olga-7")
    entry = stage.house.events("identity.linked")[0]
    assert entry["detail"] == {
        "identity": made.id,
        "person": stage.olga.id,
        "issuer": stage.provider.issuer,
    }
    assert entry["actor"]["mfa"] == "totp"  # type: ignore[index] # JSON


def test_the_provider_never_replaces_the_second_factor(stage: Stage) -> None:
    stage.link(stage.olga, "olga-7")
    code = stage.olga.code()
    stage.by_provider("olga-7", "operators", otp=code)
    assert "auth.refused" in refused(stage, "olga-7", "")
    assert "auth.refused" in refused(stage, "olga-7", stage.olga.wrong_code())
    assert "otp.used" in refused(stage, "olga-7", code)
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
        refused(stage, "nobody-5", "123456"),
        refused(stage, "carl-1", carl.code()),
        refused(stage, "olga-7", stage.olga.wrong_code()),
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
    refused(stage, "somebody-new", "000000")
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
    codes = [refused(stage, "olga-7", stage.olga.wrong_code()) for _ in range(7)]
    assert "auth.delayed" in codes[-1]
    stage.house.world.clock.advance(minutes=20)


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
    assert "auth.refused" in refused(stage, "olga-7", stage.olga.code())
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
