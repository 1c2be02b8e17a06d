"""Sentences of ordinary calls, in which no rule about misconduct or distress should find anything."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

from pipeline.timeline import Role

_ROLES = {"坐席": Role.AGENT, "客户": Role.CUSTOMER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence of one side."""

    role: Role
    text: str


@cache
def ordinary() -> tuple[Line, ...]:
    """The shipped sentences, in the order of the file."""
    text = (resources.files("pipeline.detect") / "data" / "ordinary.txt").read_text(encoding="utf-8")
    pairs = (line.strip().partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return tuple(Line(role=_ROLES[role], text=said) for role, _, said in pairs if said)
