"""A row that was changed in a backup does not become the new log's own word."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from audit.progress import silent
from tests.integration.test_restore import WISH, Kept, kept
from tests.support.whole import FIRST
from vault.bootstrap.restoring import restore
from vault.errors import Refused

__all__ = ["kept"]  # the fixture


@pytest.mark.parametrize("kept", ["sqlite"], indirect=True)
def test_an_older_value_that_was_put_back_is_not_promoted(kept: Kept) -> None:
    of_part = text("SELECT number FROM version WHERE account_id = :account AND kind = 'password'")
    put_by = text(
        "UPDATE version SET label = 'previous' WHERE account_id = :account AND kind = 'password' AND label = 'current'"
    )
    put_back = text(
        "UPDATE version SET label = 'current', current_since = created_at"
        " WHERE account_id = :account AND kind = 'password' AND number = 1"
    )
    engine = create_engine(kept.settings.database_url)
    with engine.begin() as connection:
        assert len(connection.execute(of_part, {"account": FIRST}).all()) > 1
        for statement in (put_by, put_back):
            connection.execute(statement, {"account": FIRST})
    engine.dispose()
    with pytest.raises(Refused) as caught:
        restore(kept.settings, WISH, silent, kept.world.clock)
    assert caught.value.code == "envelope.not_current"
    assert FIRST in caught.value.detail
