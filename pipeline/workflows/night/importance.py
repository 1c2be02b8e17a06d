"""Which calls come first in a night: complaints, those of new agents, those that an inspection drew."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.media.metadata import Metadata
from pipeline.media.places import place
from pipeline.media.rows import Row
from pipeline.media.values import time_zone
from pipeline.workflows.night.values import NightTools
from pipeline.workflows.roster import read_roster

NEW_AGENT_DAYS = 90
COMPLAINT, NEW_AGENT, DRAWN, OTHER = range(4)


@dataclass(frozen=True, slots=True)
class Importance:
    """`degrees` in their order: those that some call here has, and OTHER."""

    new_agents: Set[str]
    drawn: Set[str]
    degrees: tuple[int, ...]

    @classmethod
    def of(cls, metadata: Metadata | None, tools: NightTools) -> "Importance":
        """Raises MetadataError: the roster is faulty."""
        zone = time_zone(tools.settings.time_zone)
        latest = tools.clock().astimezone(zone).date() - timedelta(days=NEW_AGENT_DAYS)
        first_days = read_roster(tools.settings.roster, zone).first_days
        new = frozenset(agent for agent, day in first_days.items() if day > latest)
        made = cls(new, tools.store.drawn_paths(), ())
        rows = metadata.rows.values() if metadata else ()
        there = {made.degree(place(row.path), row) for row in rows}
        if made.drawn:
            there.add(DRAWN)
        return cls(made.new_agents, made.drawn, tuple(sorted(there | {OTHER})))

    def degree(self, path: Path, row: Row | None) -> int:
        if row and row.is_complaint:
            return COMPLAINT
        if row and row.agent_id in self.new_agents:
            return NEW_AGENT
        return DRAWN if str(path.absolute()) in self.drawn else OTHER
