"""A value that must not be seen: every door but one is bricked up.

Decided here: what a `Secret` refuses. Never done here: wiping memory. CPython copies strings as it
likes, so what bounds a secret's life is that it lives for one request in a process that can be
neither dumped nor swapped to a core file (SECURITY S12, S13).
"""

from __future__ import annotations

from typing import ClassVar, Final, Generic, NoReturn, TypeVar, final

T_co = TypeVar("T_co", str, bytes, covariant=True)

PLACEHOLDER: Final = "<secret>"
"""What a secret shows of itself, in every kind of text."""


@final
class Secret(Generic[T_co]):
    """Hold one secret text or byte string, and give it up only to who calls `expose()`.

    It refuses to be compared, hashed, copied, pickled, measured, tested for truth, changed or
    inherited from: each of these is a way in which secrets have reached logs, caches and timing.
    """

    __slots__ = ("__value",)

    __value: T_co

    def __init__(self, value: T_co) -> None:
        # the message must not hold the value, not even its type's repr of it
        if not isinstance(value, str | bytes):
            message = "a secret is text or bytes"
            raise TypeError(message)
        object.__setattr__(self, "_Secret__value", value)

    def expose(self) -> T_co:
        """Give the value itself; each call site is a place to review."""
        return self.__value

    def __repr__(self) -> str:
        return PLACEHOLDER

    def __str__(self) -> str:
        return PLACEHOLDER

    def __format__(self, spec: str) -> str:
        return PLACEHOLDER

    def __eq__(self, other: object) -> NoReturn:
        _refuse("compared; expose both and use hmac.compare_digest")

    def __ne__(self, other: object) -> NoReturn:
        _refuse("compared; expose both and use hmac.compare_digest")

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # Python's way to say: not hashable

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - it never returns
        _refuse("tested for truth; compare with None")

    def __copy__(self) -> NoReturn:
        _refuse("copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        _refuse("copied")

    # the only door of pickle and copyreg to what slots hold, whatever the protocol
    def __getstate__(self) -> NoReturn:
        _refuse("pickled")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        _refuse("changed")

    def __delattr__(self, name: str) -> NoReturn:
        _refuse("changed")


def _refuse(what: str) -> NoReturn:
    message = f"a secret cannot be {what}"
    raise TypeError(message)
