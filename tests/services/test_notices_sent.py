"""Sending: what fails is tried again and then given up, nobody is told twice, one bad address stops nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.test_notices import NUMBER, ONE_DATABASE, needs_approval, record
from tests.support.bad_endpoints import endpoint, gone, silent
from tests.support.people import move_in
from tests.support.told import subject, telling
from vault.adapters.mailer import SmtpMailer
from vault.domain.actor import Role, system_actor
from vault.domain.event import Event, EventType
from vault.domain.notice import MOST_TRIES, Channel, NoticeState, Topic
from vault.errors import Conflict, Forbidden, NotFound, Unavailable
from vault.ports.store import Slice
from vault.services.notices import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.told import Told
    from tests.support.world import World
    from vault.domain.notice import Notice

KEY_CHANGED = Event(EventType.LOG_KEY_ROTATED, system_actor("host"))


@pytest.fixture
def told(world: World) -> Iterator[Told]:
    """Lend a vault with two auditors, two administrators, a mail server and a room, that has told everything so far."""
    with telling(world, room=True) as made:
        for name in ("udo", "ute"):
            world.human(name, Role.AUDITOR)
        for name in ("ada", "bob"):
            world.human(name, Role.ADMIN)
        world.held(NUMBER)
        made.work()
        yield made


def waiting(told: Told, channel: Channel = Channel.MAIL) -> int:
    """Count what is not sent yet."""
    return told.vault.notices.load()[channel].waiting


def dead(told: Told, channel: Channel = Channel.MAIL) -> int:
    """Count what was given up."""
    return told.vault.notices.load()[channel].dead


def try_until_it_ends(told: Told) -> int:
    """Let the worker try until nothing waits any more; give the number of rounds."""
    for number in range(1, 3 * MOST_TRIES):
        told.vault.sending.mail()
        told.vault.sending.tell()
        if not waiting(told) and not waiting(told, Channel.WEBHOOK):
            return number
        told.world.clock.advance(hours=2)
    raise AssertionError("it never ends")


def test_a_server_that_is_away_is_tried_again_and_nothing_is_lost(told: Told) -> None:
    told.box.refuse = "451 later"
    record(told, KEY_CHANGED)
    told.work()
    assert (waiting(told), dead(told), len(told.box.letters)) == (4, 0, 0)
    assert told.vault.sending.mail() == 0  # not before its time
    told.box.refuse = ""
    told.world.clock.advance(seconds=3)
    told.vault.sending.mail()
    assert (waiting(told), len(told.box.letters)) == (0, 4)
    assert {tuple(each) for each in told.box.recipients} == {
        (f"{name}@msp.example",) for name in ("ada", "bob", "udo", "ute")
    }


@ONE_DATABASE
def test_one_bad_address_is_given_up_at_once_and_stops_nobody_else(told: Told) -> None:
    told.box.unknown = {"udo@msp.example"}
    told.box.busy = {"ute@msp.example"}
    record(told, KEY_CHANGED)
    told.work()
    assert (waiting(told), dead(told), len(told.box.letters)) == (1, 1, 2)
    (entry,) = move_in(told.world).events("notice.dead")
    assert entry["outcome"] == "failed"
    detail = entry["detail"]
    assert isinstance(detail, dict)
    assert (detail["channel"], detail["count"]) == ("mail", 1)
    told.work()
    assert "Notices could not be delivered" in told.lines(told.world.people["ada"])
    assert len(told.box.letters) == 2  # of dead letters no letter tells


@ONE_DATABASE
def test_an_address_that_is_none_is_given_up_and_never_a_header(told: Told) -> None:
    udo = told.world.people["udo"]
    with told.vault.units.write() as unit:
        person = unit.people.get(udo.actor.id)
        assert person is not None
        unit.people.update(replace(person, email="udo@msp.example\r\nBcc: all@x.example"))
        unit.commit()
    record(told, KEY_CHANGED)
    told.work()
    assert (dead(told), len(told.box.letters)) == (1, 3)


@ONE_DATABASE
def test_what_is_never_taken_becomes_dead_and_can_be_sent_again(told: Told) -> None:
    assert told.hook is not None
    told.box.refuse = "554 no"
    told.hook.answers = [(500, {}, b"no")] * MOST_TRIES
    record(told, KEY_CHANGED)
    told.work()
    rounds = try_until_it_ends(told)
    assert rounds == MOST_TRIES - 0
    assert (dead(told), dead(told, Channel.WEBHOOK)) == (4, 1)
    assert len(move_in(told.world).events("notice.dead")) == 2
    ada, udo = told.world.people["ada"], told.world.people["udo"]
    letters = told.vault.notices.dead(udo.actor, Slice()).items
    assert {each.reader for each in letters} == {"ada", "bob", "udo", "ute", "team"}
    assert all(each.notice.tries == MOST_TRIES and each.notice.error for each in letters)
    with pytest.raises(Forbidden):
        told.vault.notices.replay(udo.actor)
    told.box.refuse = ""
    one = next(each.notice for each in letters if each.reader == "udo")
    assert told.vault.notices.replay(ada.actor, one.id) == 1
    with pytest.raises(Conflict):
        told.vault.notices.replay(ada.actor, one.id)
    with pytest.raises(NotFound):
        told.vault.notices.replay(ada.actor, "nothing")
    told.work()
    assert len(told.box.to("udo")) == 1
    assert told.box.to("udo")[0]["Message-ID"].startswith(f"<{one.id}@")
    assert told.vault.notices.replay(HOST) == 4
    assert told.vault.notices.replay(HOST) == 0
    told.work()
    assert (len(told.box.letters), len(told.hook.ids)) == (4, 1)
    assert len(move_in(told.world).events("notice.replayed")) == 2


def test_who_is_killed_between_sending_and_writing_sends_again_under_the_same_id(told: Told) -> None:
    class Killed(BaseException):
        """The process ends here."""

    class Dying:
        def __init__(self, mailer: Any) -> None:
            self.mailer = mailer

        def send(self, *letter: Any) -> str:
            self.mailer.send(*letter)
            raise Killed

    record(told, KEY_CHANGED)
    told.vault.telling.once()
    dying = replace(told.vault.sending, mailer=Dying(told.vault.sending.mailer))
    with pytest.raises(Killed):
        dying.mail()
    assert len(told.box.letters) == 1
    told.vault.sending.mail()
    assert len(told.box.letters) == 1  # claimed by who is gone, for as long as that might take
    told.world.clock.advance(seconds=151)
    told.vault.sending.mail()
    ids = [letter["Message-ID"] for letter in told.box.letters]
    assert len(ids) == 5
    assert len(set(ids)) == 4


def test_two_workers_at_once_tell_and_send_once(told: Told) -> None:
    record(told, *[KEY_CHANGED] * 3)
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda _: told.vault.telling.once(), range(4)):
            pass
        sent = sum(pool.map(lambda _: told.vault.sending.mail(), range(4)))
    assert sent == 12
    assert len({letter["Message-ID"] for letter in told.box.letters}) == len(told.box.letters) == 12


@ONE_DATABASE
def test_a_result_that_comes_after_the_claim_ran_out_changes_nothing(told: Told) -> None:
    record(told, KEY_CHANGED)
    told.vault.telling.once()
    now = told.world.clock.now()
    with told.vault.units.write() as unit:
        first = unit.notices.claim(Channel.MAIL, now, now, 1)[0]
        again = unit.notices.claim(Channel.MAIL, now, now, 1)
        again = tuple(each for each in again if each.id == first.id) or unit.notices.claim(
            Channel.MAIL, now, now, 10
        )
        second = next(each for each in again if each.id == first.id)
        assert second.tries == 2
        assert not unit.notices.settle(first, first.failed("late", now))
        assert unit.notices.settle(second, second.sent(now))
        kept = unit.notices.get(first.id)
    assert kept is not None
    assert kept.state is NoticeState.SENT


@ONE_DATABASE
def test_a_slow_server_costs_a_batch_its_time_and_no_try_of_the_rest(told: Told) -> None:
    seconds = iter([0.0, 0.0, 61.0, 61.0, 61.0])
    record(told, KEY_CHANGED)
    told.vault.telling.once()
    slow = replace(told.vault.sending, monotonic=lambda: next(seconds))
    assert slow.mail() == 1
    assert [each.tries for each in all_waiting(told)] == [0, 0, 0]
    told.vault.sending.mail()
    assert len(told.box.letters) == 4


def all_waiting(told: Told) -> list[Notice]:
    """Give the letters that wait."""
    with told.vault.units.write() as unit:
        found = unit.notices.claim(Channel.MAIL, told.world.clock.now(), told.world.clock.now(), 100)
        return [replace(each, tries=each.tries - 1) for each in found]


@ONE_DATABASE
@pytest.mark.parametrize("place", [lambda: endpoint(silent), gone], ids=["silent", "gone"])
def test_a_server_that_says_nothing_or_is_gone_ends_in_time(told: Told, place: Any) -> None:
    with place() as url:
        address = url.removeprefix("http://")
        mailer = SmtpMailer(address, "none", "vault@msp.example", timeout=0.3, whole=0.5)
        record(told, KEY_CHANGED)
        told.vault.telling.once()
        assert replace(told.vault.sending, mailer=mailer).mail() == 0
    assert waiting(told) == 4
    told.world.clock.advance(seconds=3)
    assert told.vault.sending.mail() == 4


@ONE_DATABASE
def test_the_room_hears_what_happened_and_neither_whom_nor_which_account(told: Told) -> None:
    assert told.hook is not None
    olga = told.world.human("olga", Role.OPERATOR)
    told.world.human("anna", Role.APPROVER)
    told.world.ask(olga, reason=needs_approval(told))
    record(told, replace(KEY_CHANGED, type=EventType.SIGNED_IN, detail={"known_device": False}))
    told.work()
    (message,) = told.hook.taken
    assert message["type"] == "checkout.requested"
    assert message["data"]["title"] == "Somebody asks for root of an account: your approval is needed"
    assert NUMBER not in str(message)
    assert "olga" not in str(message)
    assert message["data"]["url"].endswith(f"/trail/{message['data']['entry']}")
    told.hook.answers = [(410, {}, b"gone")]
    record(told, KEY_CHANGED)
    told.work()
    assert dead(told, Channel.WEBHOOK) == 1


@ONE_DATABASE
def test_while_the_database_is_away_nothing_is_told_and_nothing_is_lost(told: Told) -> None:
    record(told, KEY_CHANGED)

    class Away:
        def read(self) -> object:
            raise Unavailable("database.unavailable", "away")

        write = read

    broken: Any = Away()
    for job in (
        replace(told.vault.telling, units=broken).once,
        replace(told.vault.sending, units=broken).mail,
    ):
        with pytest.raises(Unavailable):
            job()
    told.work()
    assert len(told.box.letters) == 4


@ONE_DATABASE
def test_urgent_letters_go_first(told: Told) -> None:
    record(told, *[KEY_CHANGED] * 2)
    ada = told.world.people["ada"].actor
    record(told, Event(EventType.VAULT_RESTORED, ada))
    told.vault.telling.once()
    told.vault.sending.mail()
    subjects = [subject(letter).partition("]")[0] for letter in told.box.letters]
    assert subjects == ["[Rootvault, urgent"] * 3 + ["[Rootvault"] * 8
    assert Topic.EMERGENCY not in told.vault.notices.choices(ada)
