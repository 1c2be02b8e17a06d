"""Which calls a rule or a template is for, and where it was written."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from pipeline.timeline import Direction, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a rule was written. `path` is relative to the rules folder; line and column count from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The first and the last day on which a rule is in force; None: no bound."""

    first: date | None = None
    last: date | None = None

    def covers(self, moment: datetime | None, zone: tzinfo) -> bool:
        """Whether a call that began then is judged by the rule; one of unknown time is."""
        if moment is None:
            return True
        day = moment.astimezone(zone).date()
        return not ((self.first and day < self.first) or (self.last and day > self.last))


ANY_DAY = Effective()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applies:
    """The calls a rule or template is for. Empty means all; an unknown direction counts as a match."""

    directions: tuple[Direction, ...] = ()
    businesses: tuple[str, ...] = ()

    def __contains__(self, recording: Recording) -> bool:
        if self.directions and recording.direction not in (None, *self.directions):
            return False
        return not self.businesses or recording.business in self.businesses
