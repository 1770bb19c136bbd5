"""What each request of the main path asks for: statements, transactions, commits, syncs, key calls.

Requests go through the whole application, in its own process: token, policy, use case, answer. Time is not
measured here, so the numbers are the same on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from structlog.testing import capture_logs

from tests.bench.counting import counted
from tests.bench.measure import Result, Table
from tests.bench.scenery import account_id, build
from vault.crypto import totp
from vault.services.policy_book import PolicyBook
from vault.web.app import create_app

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

COLUMNS: Final = ("request", "database", "statements", "transactions", "commits", "mark syncs", "key calls")


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Count on each database."""
    del size  # there is nothing to repeat
    rows: list[tuple[str | int | float, ...]] = []
    for place in places:
        room = place.room("requests")
        stage = build(room.url(), room.directory, accounts=10)
        with capture_logs():
            rows += [(name, place.name, *numbers) for name, numbers in Teller(stage).story()]
        stage.vault.close()
    rows.sort(key=lambda row: _ORDER.index(str(row[0])))
    return Result("requests", (Table("What a request asks for, token and all", COLUMNS, tuple(rows)),))


class Teller:
    """An operator who goes the whole way once, and counts."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.rows: list[tuple[str, tuple[int, ...]]] = []
        if isinstance(stage.vault.book, PolicyBook):  # what comes once a second is told apart
            stage.vault.book.ticking = float
        self.client: FlaskClient = create_app(stage.vault).test_client()
        self.headers = {"Authorization": f"Bearer {stage.operators[0].token}", "Host": "127.0.0.1"}

    def story(self) -> list[tuple[str, tuple[int, ...]]]:
        """Ask, step up, reveal, rotate, check in, and read what there is to read."""
        number = account_id(5)
        self.get("`GET /me`", "/me")
        self.get("`GET /accounts`", "/accounts")
        self.get("`GET /accounts/{id}`", f"/accounts/{number}")
        self.get("`GET /accounts/{id}/credential`", f"/accounts/{number}/credential")
        wish = {"account_id": number, "reason": "CRED_ROTATE", "ticket": "T-1001"}
        asked = self.post("`POST /checkouts`", "/checkouts", **wish, justification="to measure what it costs")
        place = f"/checkouts/{asked['id']}"
        self.get("`GET /checkouts/{id}`", place)
        self.post("`POST …/step-up`, the first of a lease", f"{place}/step-up", otp=self._otp())
        self.post("`POST …/password`, the first of a version", f"{place}/password")
        self.post("`POST …/password`, later ones", f"{place}/password")
        self.post("`POST …/password` with an `Idempotency-Key`", f"{place}/password", key="k1")
        self.post("`POST …/code`", f"{place}/code")
        planned = self.post("`POST …/rotations` for a password", f"{place}/rotations", part="password")
        rotation = f"/rotations/{planned['id']}"
        self.post("`POST …/display`", f"{rotation}/display")
        self.post("`POST …/attest`, accepted", f"{rotation}/attest", outcome="accepted")
        self.post("`POST …/check-in`", f"{place}/check-in")
        self.get("`GET /audit/entries` by who may read all of it", f"/audit/entries?account_id={number}")
        self.get("`GET /audit/checkpoint`", "/audit/checkpoint")
        return self.rows

    def get(self, name: str, path: str) -> None:
        """Read, and count."""
        self._count(name, "GET", path, None, {})

    def post(self, name: str, path: str, key: str | None = None, **body: str) -> Any:
        """Do, and count."""
        return self._count(name, "POST", path, body, {} if key is None else {"Idempotency-Key": key})

    def _count(self, name: str, method: str, path: str, body: Any, more: dict[str, str]) -> Any:
        with counted(self.stage.engine, self.stage.keys) as found:
            answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=self.headers | more)
        if answer.status_code >= 300:
            raise RuntimeError(f"{name} answered {answer.status_code}: {answer.get_data(as_text=True)[:300]}")
        begun = found.commits + found.rollbacks
        self.rows.append((name, (found.queries, begun, found.commits, found.syncs, found.key_calls)))
        return answer.get_json(silent=True)

    def _otp(self) -> str:
        return totp.code_at(self.stage.operators[0].seed, totp.step_of(self.stage.clock.at)).expose()


_ORDER: Final = (
    "`GET /me`",
    "`GET /accounts`",
    "`GET /accounts/{id}`",
    "`GET /accounts/{id}/credential`",
    "`POST /checkouts`",
    "`GET /checkouts/{id}`",
    "`POST …/step-up`, the first of a lease",
    "`POST …/password`, the first of a version",
    "`POST …/password`, later ones",
    "`POST …/password` with an `Idempotency-Key`",
    "`POST …/code`",
    "`POST …/rotations` for a password",
    "`POST …/display`",
    "`POST …/attest`, accepted",
    "`POST …/check-in`",
    "`GET /audit/entries` by who may read all of it",
    "`GET /audit/checkpoint`",
)
