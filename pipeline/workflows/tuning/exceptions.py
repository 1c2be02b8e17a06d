"""Candidate exceptions: words around rejected findings that are not around confirmed ones."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.detect import engine
from pipeline.detect.engine import needs
from pipeline.detect.pattern import PatternError, parse
from pipeline.detect.scene import Thresholds
from pipeline.detect.segment import cut
from pipeline.findings import Outcome
from pipeline.ruleset import RuleSet
from pipeline.workflows.tuning.places import Place, plain
from pipeline.workflows.tuning.sources import Draft, by_itself
from pipeline.workflows.tuning.try_rule import same_place

REACH = 8
"""Characters on each side of a finding that are looked at."""
TRIED = 24
KEPT = 8
ALIKE = 3
LEAST = 2
USUAL = len("{phrase}") + 4
"""Words of about this length are telling and may come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """`text` goes under `except`. With it the rule would drop so many findings of each kind."""

    text: str
    rejected: int
    confirmed: int
    undecided: int
    examples: tuple[Place, ...]


def exceptions(draft: Draft, places: Sequence[Place], thresholds: Thresholds) -> tuple[Exemption, ...]:
    """The best candidates: most rejected findings dropped, fewest confirmed. What each would drop was
    tried on the very words. Empty for a rule that builds on others: it cannot be tried by itself."""
    rejected = [place for place in places if place.decided is False]
    if not rejected or needs(draft.rule):
        return ()
    counted = Counter(text for place in rejected for text in set(_contexts(place)))
    likely = sorted(counted, key=lambda text: (-counted[text], -len(text), text))[:TRIED]
    alone = by_itself(draft.rule, draft.ruleset)
    found = [place for place in places if _found(alone, place, thresholds)]
    weighed = (_weighed(alone, text, found, thresholds) for text in likely)
    useful = [exemption for exemption in weighed if exemption.rejected > exemption.confirmed]
    useful.sort(key=lambda e: (e.confirmed, -e.rejected, e.undecided, abs(len(e.text) - USUAL), e.text))
    return tuple(_varied(useful))[:KEPT]


def _varied(useful: Iterable[Exemption]) -> Iterator[Exemption]:
    """Of those that drop the same findings only the first few."""
    alike: Counter[frozenset[str]] = Counter()
    for exemption in useful:
        dropped = frozenset(_ids(exemption))
        alike[dropped] += 1
        if alike[dropped] <= ALIKE:
            yield exemption


def enough(found: Iterable[Exemption]) -> tuple[Exemption, ...]:
    """The fewest, greedily, that drop every rejected finding that any of them drops, and no confirmed one.
    What was seen once only is no pattern yet."""
    left = [exemption for exemption in found if exemption.rejected >= LEAST and not exemption.confirmed]
    chosen: list[Exemption] = []
    covered: set[str] = set()
    while left:
        best = max(left, key=lambda e: (len(_ids(e) - covered), -e.undecided))
        if not _ids(best) - covered:
            break
        chosen.append(best)
        covered |= _ids(best)
        left.remove(best)
    return tuple(chosen)


def _ids(exemption: Exemption) -> set[str]:
    return {place.finding.id for place in exemption.examples}


def _contexts(place: Place) -> Iterator[str]:
    """Words before or after the finding as patterns around `{phrase}`, near ones and distant ones."""
    before, after = plain(place.before)[-REACH:], plain(place.after)[:REACH]
    left = list(cut(before))
    right = list(cut(after))
    for n in range(1, min(3, len(left)) + 1):
        yield f"{''.join(left[-n:])}{{phrase}}"
    for n in range(1, min(3, len(right)) + 1):
        yield f"{{phrase}}{''.join(right[:n])}"
    yield from (f"{word}…{{phrase}}" for word in left[:-1] if len(word) > 1)
    yield from (f"{{phrase}}…{word}" for word in right[1:] if len(word) > 1)


def _weighed(alone: RuleSet, text: str, places: Sequence[Place], thresholds: Thresholds) -> Exemption:
    try:
        parse(text)
    except PatternError:
        return Exemption(text=text, rejected=0, confirmed=0, undecided=0, examples=())
    (rule,) = alone.rules
    changed = replace(alone, rules=(replace(rule, exceptions=(*rule.exceptions, text)),))
    dropped = [place for place in places if not _found(changed, place, thresholds)]
    kinds = Counter(place.decided for place in dropped)
    return Exemption(
        text=text,
        rejected=kinds[False],
        confirmed=kinds[True],
        undecided=kinds[None],
        examples=tuple(place for place in dropped if place.decided is False),
    )


def _found(alone: RuleSet, place: Place, thresholds: Thresholds) -> bool:
    """Whether the rule still finds the place, looking at the turns around it."""
    found = engine.run(place.around, alone, thresholds)
    return any(f.outcome is Outcome.PRESENT and same_place(f.span, place.finding.span) for f in found)
