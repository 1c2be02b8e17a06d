"""The rules as the page lists them: filtered and sorted as the address says, each with how it does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from unicodedata import east_asian_width
from urllib.parse import urlencode

from pipeline.detect.lint import Level, Notice
from pipeline.review.site import Form
from pipeline.ruleset import Rule, Severity, Status
from pipeline.storage.rule_drafts import RuleDraft
from pipeline.workflows.rulebook.health import Health, Healths, Trend

SEVERITIES = {Severity.FATAL: "致命", Severity.MAJOR: "严重", Severity.MINOR: "一般"}
TONES = {Severity.FATAL: "bad", Severity.MAJOR: "open", Severity.MINOR: ""}
STATUSES = {Status.ACTIVE: "启用", Status.DRAFT: "草稿，不计分"}
ARROWS = {Trend.UP: "↑", Trend.DOWN: "↓", Trend.LEVEL: "→", Trend.UNKNOWN: "—"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A line of the list. `draft` None: nobody is changing the rule."""

    rule: Rule
    health: Health
    draft: RuleDraft | None

    @property
    def area(self) -> str:
        return area_of(self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for; empty asks nothing."""

    area: str = ""
    label: str = ""
    status: str = ""
    severity: str = ""
    text: str = ""
    sort: str = ""

    @classmethod
    def of(cls, query: Form) -> "Asked":
        return cls(**{name: query.text(name) for name in cls.__dataclass_fields__})

    def link(self, **changes: str) -> str:
        """The address of the list with something else asked."""
        asked = {name: value for name, value in (asdict(self) | changes).items() if value}
        return f"/rules?{urlencode(asked)}" if asked else "/rules"

    def __contains__(self, row: RuleRow) -> bool:
        rule = row.rule
        exact = (
            (self.area, row.area),
            (self.label, rule.label),
            (self.severity, rule.severity.value),
        )
        if any(wanted and wanted != found for wanted, found in exact):
            return False
        return self._fits_status(row) and self._fits_text(rule)

    def _fits_status(self, row: RuleRow) -> bool:
        if self.status == "changed":
            return row.draft is not None
        return not self.status or self.status == row.rule.status.value

    def _fits_text(self, rule: Rule) -> bool:
        about = f"{rule.id} {rule.title} {rule.why} {rule.label} {rule.category or ''} {rule.detector}"
        return self.text.casefold() in about.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters offer: areas and labels that there are."""

    areas: tuple[str, ...]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Choices":
        listed = tuple(rules)
        return cls(
            areas=tuple(sorted({area_of(rule) for rule in listed})),
            labels=tuple(sorted({rule.label for rule in listed})),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHead:
    """What stands above every page about a rule. `rule` None: the draft of a new one cannot be read yet;
    `is_new`: there is no file of it."""

    id: str
    rule: Rule | None
    is_new: bool = False

    @property
    def title(self) -> str:
        return self.rule.title if self.rule else self.id


def area_of(rule: Rule) -> str:
    """The first part of a rule's id."""
    return rule.id.partition(".")[0]


def rule_rows(
    rules: Iterable[Rule], found: Healths, drafts: Mapping[str, RuleDraft], asked: Asked
) -> tuple[RuleRow, ...]:
    """The rules asked for, in the order asked for."""
    rows = (RuleRow(rule=rule, health=found.of(rule.id), draft=drafts.get(rule.id)) for rule in rules)
    return tuple(sorted((row for row in rows if row in asked), key=SORTS.get(asked.sort, _by_id)))


def _by_id(row: RuleRow) -> tuple[object, ...]:
    return (row.rule.id,)


def _by_hits(row: RuleRow) -> tuple[object, ...]:
    return (-row.health.calls, -row.health.findings, row.rule.id)


def _by_precision(row: RuleRow) -> tuple[object, ...]:
    """The worst first; those that nobody decided about last."""
    share = row.health.precision
    return (share.value is None, share.value or 0.0, -share.n, row.rule.id)


def _by_trend(row: RuleRow) -> tuple[object, ...]:
    order = (Trend.UP, Trend.DOWN, Trend.LEVEL, Trend.UNKNOWN)
    return (order.index(row.health.trend), -(row.health.lately.value or 0.0), row.rule.id)


def _by_severity(row: RuleRow) -> tuple[object, ...]:
    return (list(SEVERITIES).index(row.rule.severity), row.rule.id)


SORTS: Mapping[str, Callable[[RuleRow], tuple[object, ...]]] = {
    "hits": _by_hits,
    "precision": _by_precision,
    "severity": _by_severity,
    "trend": _by_trend,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNotice:
    """A notice with the line that it is about; `caret` stands below the character that is meant."""

    place: str
    line: int
    is_error: bool
    message: str
    check: str
    excerpt: str
    caret: str


def shown_notices(notices: Iterable[Notice], text: str) -> tuple[ShownNotice, ...]:
    """Errors before warnings, each by its place in the text; without those that the owner accepted."""
    lines = text.split("\n")
    open_ones = (notice for notice in notices if notice.level is not Level.ACCEPTED)
    ordered = sorted(open_ones, key=lambda notice: (notice.level is not Level.ERROR, notice.order))
    return tuple(_shown(notice, lines) for notice in ordered)


LONGEST_EXCERPT = 90


def _shown(notice: Notice, lines: list[str]) -> ShownNotice:
    source = notice.source
    line = lines[source.line - 1] if source.line <= len(lines) else ""
    first = max(0, source.column - 1 - LONGEST_EXCERPT // 2) if len(line) > LONGEST_EXCERPT else 0
    return ShownNotice(
        place=str(source),
        line=source.line,
        is_error=notice.level is Level.ERROR,
        message=notice.message,
        check=notice.check,
        excerpt=line[first : first + LONGEST_EXCERPT],
        caret="".join(map(_blank, line[first : source.column - 1])) + "^",
    )


def _blank(character: str) -> str:
    """As wide as the character."""
    return "\N{IDEOGRAPHIC SPACE}" if east_asian_width(character) in "WF" else " "
