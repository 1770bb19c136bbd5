"""What a decision costs, and a whole request, under a policy of 50 reasons beside one that has a single reason.

Both decide the same request in turns. The great policy is also stricter for customers and accounts, one of each ten;
the vault has as many accounts as the size says. Above the ratios stand the times of this machine.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bench.measure import Aim, Result, Table, in_turns_of, ms, short_in_turns, us
from tests.bench.scenery import account_id, build
from vault.domain.actor import Power, Role, Scope
from vault.domain.policy import Facts, Permit, Policy
from vault.domain.policy_document import read_policy
from vault.domain.reason import Situation
from vault.services.asking import Ask
from vault.services.deciding import Deciding
from vault.services.gate import Gate
from vault.services.policy_book import FixedPolicy

if TYPE_CHECKING:
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

REASONS: Final = 50
STRICTER: Final = 1_000
CODE: Final = "CRED_ROTATE"
AT_MOST: Final = 1.25
"""How much more a whole request may cost under the great policy."""


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure the bare decision once, and the whole request on each database."""
    tables: list[Table] = []
    aims: list[Aim] = []
    for place in places:
        room = place.room("decide")
        stage = build(room.url(), room.directory, accounts=max(10, size.accounts[-1]))
        small, great = policies(stage.vault.settings.policy_file.read_text("utf-8"))
        if place is places[0]:
            tables.append(_decisions(stage, small, great, size))
        table, aim = _requests(place, stage, small, great, size)
        tables.append(table)
        aims.append(aim)
        stage.vault.close()
    return Result("decide", tuple(tables), tuple(aims))


def policies(shipped: str) -> tuple[Policy, Policy]:
    """Make a policy of one reason, and one of fifty that is stricter for many."""
    head, _, rest = shipped.partition("[reasons.")
    own = re.split(r"(?m)^(?=\[reasons\.[A-Z0-9_]+\]$)", "[reasons." + rest.partition("[not_root]")[0])
    one = next(each for each in own if each.startswith(f"[reasons.{CODE}]"))
    bare = f"{head}{one}\n[not_root]\n"
    more = "\n".join(one.replace(CODE, f"TASK_{each}") for each in range(REASONS - 1))
    stricter = "\n".join(
        f'[[stricter]]\nscope = "{scope}"\napprovals = 1\nmax_seconds = 900'
        for each in range(STRICTER // 2)
        for scope in (f"account:{900_000_000_000 + each}", f"customer:{800_000 + each}")
    )
    return read_policy(bare.encode()), read_policy(f"{head}{one}{more}\n{stricter}\n[not_root]\n".encode())


def _decisions(stage: Stage, small: Policy, great: Policy, size: Size) -> Table:
    with stage.vault.units.read() as unit:
        account = unit.accounts.get(account_id(5))
        customer = unit.customers.get(stage.customer_id)
    assert account is not None
    people = {f"approver-{each}": (Power(Role.APPROVER, Scope()),) for each in range(20)}
    facts = Facts(account, Situation.HELD, stage.clock.at, people, customer)

    def act(policy: Policy) -> None:
        assert isinstance(policy.decide_reason(CODE, 600, facts), Permit)

    found = short_in_turns(
        {"one reason": partial(act, small), f"{REASONS} reasons, {STRICTER} stricter": partial(act, great)},
        size.rounds,
        size.each * 200,
    )
    first = next(iter(found.values())).median
    rows = tuple((name, us(each.median), round(each.median / first, 2)) for name, each in found.items())
    return Table("a decision by itself", ("policy", "median µs", "of the first"), rows)


def _requests(place: Place, stage: Stage, small: Policy, great: Policy, size: Size) -> tuple[Table, Aim]:
    acts = {
        "one reason": partial(_ask, stage, small),
        f"{REASONS} reasons, {STRICTER} stricter": partial(_ask, stage, great),
    }
    for act in acts.values():
        act()
    found = in_turns_of(acts, size.rounds * size.each)
    times = list(found.values())
    ratio = times[1].median / times[0].median
    rows = tuple(
        (name, ms(each.median), ms(each.p99), round(each.median / times[0].median, 2))
        for name, each in found.items()
    )
    title = f"{place.name}: asking, among {stage.accounts:,} accounts"
    aim = Aim(
        f"{place.name}: a request costs at most {AT_MOST} times as much", ratio <= AT_MOST, f"{ratio:.2f}"
    )
    return Table(title, ("policy", "median ms", "p99 ms", "of the first"), rows), aim


def _ask(stage: Stage, policy: Policy) -> float:
    """Ask, and give the seconds; then withdraw it, untimed."""
    gate = Gate(FixedPolicy(policy))
    asking = stage.vault.asking
    asking = replace(asking, gate=gate, deciding=Deciding(gate), tickets=replace(asking.tickets, gate=gate))
    actor = stage.operators[0].actor
    wish = Ask(account_id(5), CODE, "T-1001", "to measure what it costs")
    began = time.perf_counter()
    made = asking.ask(actor, wish)
    seconds = time.perf_counter() - began
    stage.vault.checkouts.cancel(actor, made.id)
    return seconds
