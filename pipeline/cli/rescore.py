"""`callscore rescore`: score again, replay the day, listen again."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.bar import bar
from pipeline.cli.dispute_view import changes_view, heard_again_view, replay_view, totals_line
from pipeline.cli.options import Database, Rules, SettingsOptions, inspector, load
from pipeline.cli.render import call_view, console
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.storage.records import ScoredCall, StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.audit import open_store
from pipeline.workflows.dispute.as_of import named
from pipeline.workflows.dispute.changes import Scoring
from pipeline.workflows.dispute.correct import Signed, swap_roles
from pipeline.workflows.dispute.listen_again import hearing_of, listen_again
from pipeline.workflows.dispute.replay import (
    Agreement,
    RulesOf,
    call_of_the_day,
    replayed,
    reviews_of_the_day,
    rules_by_digest,
    settings_of_the_day,
)
from pipeline.workflows.document import call_document
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import BY_RULE, Choice, judge
from pipeline.workflows.rescore import Scorer, rescore_all
from pipeline.workflows.review.seen import Viewer

EXIT_DIFFERENT = 1
Who = Annotated[str, typer.Option("--who", help="谁改的，留在记录里；默认是登录的用户名。")]


def register(app: typer.Typer) -> None:
    app.command("rescore", epilog="例：callscore rescore d11 --as-of 2026-11-24 --diff")(rescore_command)


def login() -> str:
    """Who is logged in; empty where nobody can tell."""
    try:
        return getuser()
    except (KeyError, OSError, ImportError):
        return ""


def rescore_command(
    call: Annotated[
        str | None, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀；用 --all 时不写。")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="重评存下的每一通；显示进度。")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE|DIGEST",
            help="重放：用那天（或摘要所指）的转写、规则、评分表和设置再算一遍，与存下的逐字节比；不存。",
        ),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", help="用这张评分表，包括平时不自动选用的。")
    ] = None,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="逐项列出哪里变了、是哪条发现引起的；与 --as-of 连用时和最近一次比。"),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--listen-again", help="用当时的模型和设置把录音重听一遍，说出哪里不同；不存。"),
    ] = False,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="与 --listen-again 连用：录音现在放在哪里。")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看结果，不存。")] = False,
    swap: Annotated[bool, typer.Option("--swap-roles", help="坐席和客户认反了：换过来再评。")] = False,
    who: Who = "",
    reason: Annotated[str, typer.Option("--reason", help="为什么重评，留在记录里。")] = "",
    database: Database = None,
    rules: Rules = None,
) -> None:
    """重评一通电话：原来的评分表保留，另添一张，不重新识别。争议时用 --as-of 重放，用 --listen-again 重听。

    重放和重听什么都不存。退出码：0 相同或已重评；1 重放与存下的不同；2 用法不对。
    """
    asked = Asked(call, every, as_of, template, diff, again, audio, dry_run, swap, who or login(), reason)
    asked.check(rules)
    settings = load(SettingsOptions(database=database, rules=rules))
    with open_store(settings) as store:
        looking = Viewer(store, inspector(who or None, settings))
        Desk(asked, settings, looking, rules_by_digest(store)).work()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    call: str | None
    every: bool
    as_of: str | None
    template: str | None
    diff: bool
    again: bool
    audio: Path | None
    dry_run: bool
    swap: bool
    who: str
    reason: str

    def check(self, rules: Path | None) -> None:
        """Raises typer.BadParameter for what cannot go together."""
        only_one = (self.as_of, self.template, self.diff, self.again, self.dry_run, self.swap)
        if self.every and (self.call is not None or any(only_one)):
            raise typer.BadParameter(
                "--all 不能和 CALL、--swap-roles、--as-of 等只对一通的选项一起用。", param_hint="--all"
            )
        if not self.every and self.call is None:
            raise typer.BadParameter("要重评哪一通？给出 CALL，或用 --all。", param_hint="CALL")
        if (self.as_of or self.again) and (rules or self.swap):
            raise typer.BadParameter(
                "重放和重听用的是当时的规则和转写，不能和 --rules、--swap-roles 一起用。",
                param_hint="--as-of/--listen-again",
            )
        if self.again and self.template:
            raise typer.BadParameter("重听按当时的评分表比，不能另指。", param_hint="--template")
        if self.audio and not self.again:
            raise typer.BadParameter("只和 --listen-again 一起用。", param_hint="--audio")
        if self.swap and (self.template or self.dry_run):
            raise typer.BadParameter("换角色要存下来，评分表自动选。", param_hint="--swap-roles")

    @property
    def choice(self) -> Choice:
        return Choice(self.template, named=True) if self.template else BY_RULE


@dataclass(frozen=True, slots=True)
class Desk:
    """One run of the command."""

    asked: Asked
    settings: Settings
    looking: Viewer
    rules: RulesOf

    @property
    def store(self) -> Store:
        return self.looking.store

    def work(self) -> None:
        if self.asked.every:
            self._all()
        elif self.asked.again:
            self._listen_again()
        elif self.asked.as_of:
            self._replay(self.asked.as_of)
        elif self.asked.swap:
            with bar("重评"):
                before, after = swap_roles(self.asked.call or "", self._scorer(), self._signed())
            self._show(before, after)
        else:
            self._rescore()

    def _recording_id(self) -> str:
        return self.store.find_call(self.asked.call or "").id

    def _scorer(self) -> Scorer:
        return Scorer.in_force(self.store, self.settings, at=datetime.now(UTC))

    def _signed(self) -> Signed:
        reason = self.asked.reason or "坐席与客户认反了"
        return Signed(who=self.asked.who, at=datetime.now(UTC), reason=reason)

    def _rescore(self) -> None:
        recording_id = self._recording_id()
        if self.asked.dry_run:
            before = self.store.latest(recording_id)
            with bar("试算"):
                scored = self._scorer().scored(before.call, self.asked.choice)
            self._compare(self._stored(before), self._made(scored))
            console().print("试算，没有存。")
            return
        with bar("重评"):
            scorer = self._scorer()
            made = scorer.again(self.asked.choice, self.asked.reason or "rescore")
            added = scorer.add(recording_id, made, at=datetime.now(UTC))
        self._show(added.before, self.store.scoring(added.scorecard_id))

    def _show(self, before: StoredCall, after: StoredCall) -> None:
        old, new = self._stored(before), self._stored(after)
        if self.asked.diff:
            self._compare(old, new)
            return
        document = call_document(new.recording, new.transcript, new.findings, new.scorecard, new.ruleset)
        console().print(call_view(document, self.settings))
        console().print(totals_line(old, new))

    def _compare(self, before: Scoring, after: Scoring) -> None:
        out = console()
        out.print(changes_view(before, after))
        out.print(totals_line(before, after))

    def _stored(self, stored: StoredCall) -> Scoring:
        return Scoring.stored(self.looking.seen(stored).stored, self.rules)

    def _made(self, scored: ScoredCall) -> Scoring:
        return Scoring.of(self.looking.made(scored))

    def _replay(self, text: str) -> None:
        found = named(self.store, self._recording_id(), text, self.settings)
        latest = self.store.latest(found.stored.recording.id)
        if found.ruleset_digest or self.asked.template:
            self._what_if(found.stored, found.ruleset_digest or found.stored.ruleset_digest)
            return
        with bar("重放"):
            replay = replayed(found.stored, self.store, self.rules, self.settings)
        out = console()
        out.print(replay_view(replay, self.settings))
        if self.asked.diff:
            out.print("\n和最近一次评分比：")
            self._compare(self._made(replay.scored), self._stored(latest))
        if replay.agreement is Agreement.DIFFERENT:
            raise typer.Exit(EXIT_DIFFERENT)

    def _what_if(self, stored: StoredCall, digest: str) -> None:
        """Under rules or a template that never scored this call: nothing to compare to the byte."""
        with bar("试算"):
            scored = self._judged_by(digest, stored)
        console().print(f"这通电话没有这样评过；按规则集 {digest[:12]} 试算，没有存：")
        self._compare(self._stored(stored), self._made(scored))

    def _judged_by(self, digest: str, stored: StoredCall) -> ScoredCall:
        understanding = Understanding(self.settings)
        ruleset = self.rules(digest, understanding.name)
        if ruleset.meaning is None:
            ruleset = replace(ruleset, meaning=self.rules(digest, None).meaning)
        return judge(
            understanding.with_sentences(call_of_the_day(stored)),
            ruleset,
            settings_of_the_day(stored, self.settings),
            self.asked.choice,
            reviews_of_the_day(stored, self.store),
        )

    def _listen_again(self) -> None:
        recording_id = self._recording_id()
        stored = self.store.latest(recording_id)
        if self.asked.as_of:
            stored = named(self.store, recording_id, self.asked.as_of, self.settings).stored
        hearing = hearing_of(stored, self.store, self.settings, self.asked.audio)
        with bar("重听"):
            listener = Listener.open(hearing.settings)
            found = listen_again(stored, hearing, listener, self.store, self.rules)
        console().print(heard_again_view(found, self.settings))

    def _all(self) -> None:
        scorer, total = self._scorer(), self.store.counts()["recordings"]
        with bar("重评", total) as move:
            changes = rescore_all(scorer, at=datetime.now(UTC), reason=self.asked.reason, watch=move)
        console().print(f"重评了 {changes.calls} 通，其中 {changes.changed} 通的得分或待定分有变化。")
