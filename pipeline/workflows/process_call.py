"""One call: file -> samples -> transcript -> findings -> scorecard. `nightly` does the same for many."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from pipeline.detect.engine import run as run_rules
from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound
from pipeline.media.rows import Row
from pipeline.media.values import time_zone
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Review
from pipeline.scoring.added import with_people
from pipeline.scoring.score import score
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.storage import mapping
from pipeline.storage.records import ScoredCall
from pipeline.template import Template
from pipeline.timeline import Call, Recording
from pipeline.workflows.compact_form import compact_form
from pipeline.workflows.loading import load
from pipeline.workflows.meaning import Understanding


@dataclass(frozen=True, slots=True)
class Choice:
    """Which scorecard template to fill in: the one named, none, or (not `named`) the one that is meant for
    the call."""

    id: str | None = None
    named: bool = False

    def template(self, recording: Recording, ruleset: RuleSet, zone: tzinfo) -> Template | None:
        """Raises NotFound: the rule set has no template of that name."""
        if not self.named:
            return ruleset.template_for(recording, zone)
        if self.id is None:
            return None
        found = ruleset.template(self.id)
        if found is None:
            known = "、".join(template.id for template in ruleset.templates) or "一张也没有"
            raise NotFound(f"没有评分表 {self.id}", hint=f"这套规则里有：{known}")
        return found


BY_RULE = Choice()


def judge(
    call: Call,
    ruleset: RuleSet,
    settings: Settings,
    choice: Choice = BY_RULE,
    reviews: Sequence[Review] = (),
) -> ScoredCall:
    """Run the rules over a call and fill in the scorecard, with what people decided. Pure."""
    call = replace(call, transcript=mapping.storable(call.transcript))
    findings = with_people(run_rules(call, ruleset, Thresholds.of(settings)), reviews, ruleset)
    template = choice.template(call.recording, ruleset, time_zone(settings.time_zone))
    card = None
    if template is not None:
        made_by = call.transcript.provenance
        card = score(call.recording, findings, template, ruleset, made_by, reviews)
    return ScoredCall(
        recording=call.recording,
        transcript=call.transcript,
        ruleset=ruleset,
        findings=findings,
        scorecard=card,
        compact=compact_form(call.transcript),
        sentences=call.sentences,
        reviews=len(reviews),
        settings=settings.of_scoring(),
    )


def process_call(
    path: Path, row: Row | None, ruleset: RuleSet, listener: Listener, understanding: Understanding
) -> ScoredCall:
    """The whole way for one file. Raises UnreadableRecording."""
    settings = understanding.settings
    loaded = load(path, row, settings)
    ready = listener.prepare(loaded.recording, loaded.samples, loaded.lost)
    ((recording, transcript),) = listener.hear([ready])
    call = understanding.with_sentences(Call(recording=recording, transcript=transcript))
    return judge(call, ruleset, settings)
