"""Work handed out: the queue as it is asked for, the next call, calls given to people by a rule."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.errors import SettingsError, UsageError
from pipeline.queue import CLAIMABLE, reviews_asked
from pipeline.settings import Settings
from pipeline.storage.queue_records import (
    PageOf,
    PlanProgress,
    QueueFilter,
    QueueLine,
    Refused,
    Sort,
    Whose,
)
from pipeline.storage.store import Store
from pipeline.workflows.lately import Lately
from pipeline.workflows.roster import Roster
from pipeline.workflows.rules import rules_of_the_day

ROWS_AT_A_TIME = 200
EVERYBODY = "*"


def bring_queue(store: Store, watch: Callable[[int], None] = lambda done: None) -> int:
    """Put the calls into the queue that an older callscore scored; how many. Once for a database."""

    def asked(digest: str, template_id: str) -> int:
        template = rules_of_the_day(store, digest).template(template_id)
        return reviews_asked(template.reviews if template else None)

    done = 0
    while made := store.make_queue(ROWS_AT_A_TIME, asked):
        done += made
        watch(done)
    return done


_PLANS: Lately[tuple[PlanProgress, ...]] = Lately(short=0.02)


def plans_lately(store: Store) -> tuple[PlanProgress, ...]:
    """How far the samples are; in a large archive as some seconds ago, and nothing where it is being counted
    for the first time."""
    return _PLANS.of(store, object(), lambda store: store.plan_progress()) or ()


def of_team(which: QueueFilter, team: str | None, roster: Roster) -> QueueFilter:
    """The filter held to the agents of a team; None: as it is."""
    if team is None:
        return which
    there = tuple(sorted(agent for agent, name in roster.teams.items() if name == team))
    if which.agents is not None:
        there = tuple(agent for agent in which.agents if agent in there)
    return replace(which, agents=there)


def lease(settings: Settings, at: datetime) -> datetime:
    """When a claim that begins now ends by itself."""
    return at + timedelta(minutes=settings.claim_minutes)


def claim_next(
    store: Store, who: str, which: QueueFilter, settings: Settings, *, at: datetime, sort: Sort = Sort.RISK
) -> QueueLine | None:
    """The next call for somebody; None: there is none. Raises UsageError: nobody asks."""
    if not who.strip():
        raise UsageError("谁来领？", hint="用 --who 署名，或设环境变量 CALLSCORE_REVIEWER")
    return store.claim_next(who, which, at=at, until=lease(settings, at), sort=sort)


class By(StrEnum):
    """What calls are kept together by when they are dealt out."""

    TURN = "turn"  # nothing: one each in turn
    AGENT = "agent"
    TEAM = "team"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing:
    """Calls dealt to inspectors: all of one agent, team or business to the same one; the one who holds the
    fewest comes first. Nobody gets a call that they answered."""

    inspectors: tuple[str, ...]
    by: By = By.TURN


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """Who got which call, by recording id, and what could not be given."""

    given: tuple[tuple[str, str], ...]
    refused: tuple[Refused, ...]

    def count(self, who: str) -> int:
        return sum(person == who for _, person in self.given)


def assign(store: Store, pairs: Sequence[tuple[str, str]], *, at: datetime, force: bool = False) -> Dealt:
    """Give these calls to these people until they hand them in."""
    refused = store.assign(pairs, at=at, force=force)
    left = {one.recording_id for one in refused}
    return Dealt(given=tuple(pair for pair in pairs if pair[0] not in left), refused=refused)


def deal(
    lines: Iterable[QueueLine], dealing: Dealing, loads: Mapping[str, int], roster: Roster
) -> tuple[tuple[str, str], ...]:
    """Who is to get which of these calls. Pure. Raises UsageError: there is nobody to give them to."""
    if not dealing.inspectors:
        raise UsageError("没有说派给谁", hint="--to 质检员，可多次；或在设置 assignment 里写规则")
    held = {who: loads.get(who, 0) for who in dealing.inspectors}
    whose: dict[str, str] = {}
    pairs = []
    for line in lines:
        key = _key(line, dealing.by, roster)
        who = whose.get(key) if key else None
        if who is None or who == line.agent_id:
            free = [person for person in dealing.inspectors if person != line.agent_id]
            if not free:
                continue
            who = min(free, key=lambda person: held[person])
            if key:
                whose.setdefault(key, who)
        held[who] += 1
        pairs.append((line.recording_id, who))
    return tuple(pairs)


def _key(line: QueueLine, by: By, roster: Roster) -> str:
    """What keeps the call together with others; "": nothing."""
    known = {By.AGENT: line.agent_id, By.TEAM: roster.team(line.agent_id), By.BUSINESS: line.business}
    return known.get(by) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignRule:
    """One row of the setting `assignment`: calls of which `field` is `value` go to these inspectors."""

    field: str
    value: str
    inspectors: tuple[str, ...]

    def covers(self, line: QueueLine, roster: Roster) -> bool:
        found = {
            "agent": line.agent_id,
            "team": roster.team(line.agent_id),
            "business": line.business,
            "template": line.template_id,
            EVERYBODY: "",
        }
        return found[self.field] == self.value


FIELDS = ("agent", "team", "business", "template")


def assign_rules(settings: Settings) -> tuple[AssignRule, ...]:
    """The table of the setting `assignment`, in its order. Raises SettingsError: a row is wrong, or none."""
    if not settings.assignment:
        raise SettingsError(
            "没有派单的规则", hint="在设置 assignment 里写，如 {'business=话费查询' = '王敏 李强'}"
        )
    return tuple(_rule(key, text) for key, text in settings.assignment.items())


def _rule(key: str, text: str) -> AssignRule:
    field, equals, value = key.partition("=")
    inspectors = tuple(text.split())
    if (field not in FIELDS or not equals or not value) and key != EVERYBODY:
        raise SettingsError(
            f"assignment：左边写的是“{key}”，应为 business=话费查询 这样的条件，或 *",
            hint=f"条件可以是：{'、'.join(FIELDS)}",
        )
    if not inspectors:
        raise SettingsError(f"assignment：“{key}”没有质检员，应为用空格分开的名字")
    return AssignRule(field=field, value=value, inspectors=inspectors)


def deal_by_rules(
    lines: Sequence[QueueLine], rules: Sequence[AssignRule], loads: Mapping[str, int], roster: Roster
) -> tuple[tuple[str, str], ...]:
    """Every call to the inspectors of the first rule that covers it, in turn. Pure."""
    held = dict(loads)
    pairs: list[tuple[str, str]] = []
    for line in lines:
        rule = next((rule for rule in rules if rule.covers(line, roster)), None)
        for pair in deal([line], Dealing(inspectors=rule.inspectors), held, roster) if rule else ():
            held[pair[1]] = held.get(pair[1], 0) + 1
            pairs.append(pair)
    return tuple(pairs)


def waiting(store: Store, which: QueueFilter, most: int, *, at: datetime) -> Iterator[QueueLine]:
    """Calls of the filter that nobody holds, the riskiest first, at most so many."""
    free = replace(which, whose=Whose.UNASSIGNED, states=which.states or CLAIMABLE)
    page = PageOf(size=min(most, ROWS_AT_A_TIME))
    while most > 0:
        found = store.queue(free, page, at=at)
        yield from found.lines[:most]
        most -= len(found.lines)
        if found.after is None:
            return
        page = replace(page, after=found.after)
