"""Applications in a few milliseconds: what each makes of the same routes and templates is made once a process.

Every test of the web has an application of its own. Most of the time that takes goes into compiling two functions
for each route, which depend on the route's text alone, and into compiling templates. Both are kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask
from jinja2 import BytecodeCache
from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.bccache import Bucket

_compile: Callable[[Rule, bool], Callable[..., tuple[str, str]]] = Rule._compile_builder
_builders: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


class _Templates(BytecodeCache):
    """Compiled templates by name and source."""

    def __init__(self) -> None:
        self.kept: dict[tuple[object, ...], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled from the very same source."""
        bucket.code = self.kept.get(self._place(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self.kept[self._place(bucket)] = bucket.code

    @staticmethod
    def _place(bucket: Bucket) -> tuple[object, ...]:
        with_pages = bucket.environment.trim_blocks  # what decides how the source is read
        return bucket.key, bucket.checksum, with_pages


def _builder(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    if self.defaults:  # these are compiled in
        return _compile(self, append_unknown)
    place = (self.rule, *self._trace, append_unknown)
    if place not in _builders:
        _builders[place] = _compile(self, append_unknown)
    return _builders[place]


def make_apps_quickly() -> None:
    """Keep what applications compile, for the rest of this process."""
    if Rule._compile_builder is _compile:
        Rule._compile_builder = _builder  # type: ignore[method-assign]  # this is what it is for
        Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Templates()}
