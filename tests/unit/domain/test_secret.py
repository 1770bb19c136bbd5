"""A secret shows nothing of itself (SECURITY S12)."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest

from vault.domain.secret import Secret

VALUE = "Tr0ub4dor&3-in-the-clear"


@dataclasses.dataclass(frozen=True)
class Holder:
    """Something that holds a secret, as many of our values do."""

    secret: Secret[str]


def test_exposes_text_and_bytes_unchanged() -> None:
    assert Secret(VALUE).expose() == VALUE
    assert Secret(b"\x00\xff").expose() == b"\x00\xff"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r}",
        lambda secret: f"{secret:>40}",
        lambda secret: "%s" % secret,  # noqa: UP031 - one of the ways
        lambda secret: str([secret]),
        lambda secret: str(Holder(secret)),
    ],
)
def test_every_text_of_it_is_the_placeholder(show: Callable[[Secret[str]], str]) -> None:
    shown = show(Secret(VALUE))

    assert VALUE not in shown
    assert "<secret>" in shown


@pytest.mark.parametrize(
    "misuse",
    [
        lambda secret: secret == Secret(VALUE),
        lambda secret: secret == VALUE,
        lambda secret: secret != VALUE,
        lambda secret: VALUE in [secret, secret],
        hash,
        bool,
        len,
        list,
        sorted,
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        lambda secret: pickle.dumps(secret, protocol=0),
        json.dumps,
        vars,
        lambda secret: dataclasses.asdict(Holder(secret)),
        lambda secret: setattr(secret, "value", "other"),
        lambda secret: delattr(secret, "_Secret__value"),
        lambda secret: secret + "x",
        lambda secret: "-".join(str.lower(part) for part in [secret]),
        lambda secret: secret.__getstate__(),
        lambda secret: secret.__reduce_ex__(4),
    ],
)
def test_every_misuse_is_refused_without_the_value(misuse: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as refusal:
        misuse(Secret(VALUE))

    assert VALUE not in str(refusal.value)


def test_a_traceback_with_locals_and_a_log_line_show_nothing() -> None:
    secret = Secret(VALUE)
    written = io.StringIO()
    logger = logging.getLogger("tests.secret")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(written))
    told = ""
    try:
        _fail_with(secret)
    except RuntimeError as failure:
        told = "".join(traceback.TracebackException.from_exception(failure, capture_locals=True).format())
        logger.exception("failed with %s", secret)

    assert "<secret>" in told
    assert VALUE not in told
    assert "<secret>" in written.getvalue()
    assert VALUE not in written.getvalue()


def _fail_with(secret: Secret[str]) -> None:
    raise RuntimeError(secret)


def test_only_text_and_bytes_can_be_secret() -> None:
    with pytest.raises(TypeError):
        Secret(123456)  # type: ignore[type-var]  # that is the point
