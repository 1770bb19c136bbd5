"""Work on keys that takes two people, on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from vault.services.key_work import MOST, DrillScope
from vault.web.api.schemas.base import Lax
from vault.web.api.schemas.proposals import Proposing

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern="^[!-~]+$")]


class NewRewrap(Proposing):
    """The keys under which every data key shall be wrapped; a command on the host does it."""

    keys: Annotated[list[KeyName], Field(min_length=1, max_length=MOST)] = Field(
        description="ARNs of KMS keys, exactly as the settings will name them."
    )
    remove_old: bool = Field(
        default=False, description="Whether wraps under any other key are removed once all is proven."
    )


class NewDrill(Proposing):
    """A drill: every credential is opened once and none is shown; a command on the host does it."""

    scope: Annotated[DrillScope, Lax] = Field(
        default=DrillScope.LIVE, description="`live`: of this vault; `restore`: of a backup, beside it."
    )
