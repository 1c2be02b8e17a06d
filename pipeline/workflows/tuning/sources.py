"""Rules from wherever people name them: a file being edited, a folder, a stored digest, a git revision."""

import io
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from pipeline.detect.document import Document, decode, nearest, read
from pipeline.detect.engine import needs, with_needs
from pipeline.detect.load import SCORECARDS, examine_texts, load_ruleset, parse_ruleset, read_texts
from pipeline.detect.training import learners
from pipeline.errors import NotFound, RuleError, UsageError
from pipeline.ruleset import Rule, RuleSet, Window
from pipeline.scope import ANY_DAY, Applies
from pipeline.storage.store import Store
from pipeline.workflows.tuning.edit import with_entries

TRIED = "tried.yml"
"""The path of a file that has no place in the rules folder yet."""
LEAST_PREFIX = 4
_ID = re.compile(r"^id:\s*[\"']?([\w.]+)", re.MULTILINE)
_LEARNS = re.compile(r"^detector:\s*similar\b", re.MULTILINE)
"""Rules of meaning learn from each other's examples, so they come all together or not at all."""
_IS_RULE = re.compile(r"^detector:", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule as its file says it now, with the rules that it builds on. `document` is the file as parsed,
    `path` its place in the rules folder."""

    rule: Rule
    ruleset: RuleSet
    document: Document
    path: str


class RulesFolder:
    """The texts of a rules folder, read once, with one file of it replaced by what is being edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def texts(self) -> dict[str, str]:
        """By relative path; files with faults come too. Raises NotFound."""
        return read_texts(self.folder)[0]

    def file(self, file: Path, phrases: Sequence[str] = ()) -> Draft:
        """The rule in `file`, with `phrases` added. It takes the place of the file that it is, or of the
        rule with the same id. Raises NotFound, RuleError: every fault of this file, named as `file` was."""
        try:
            text = decode(str(file), file.read_bytes())
        except OSError as error:
            raise NotFound(f"{file}：读不了（{error.strerror}）", hint="给出一个规则文件") from error
        return self.text(text, str(file), self._place(file, text), phrases)

    def rule(self, rule_id: str) -> Draft:
        """A rule by its id. Raises NotFound, RuleError."""
        paths = _paths(self.texts)
        if rule_id not in paths:
            raise unknown_rule(rule_id, paths)
        path = paths[rule_id]
        return self.text(self.texts[path], str(self.folder / path), path)

    def text(self, text: str, shown: str, place: str = TRIED, phrases: Sequence[str] = ()) -> Draft:
        """The rule that `text` describes, put at `place` in the folder; its faults name it `shown`, and
        those of the files that it builds on follow. Raises UsageError: it takes no phrases. RuleError."""
        document = read(shown, text)
        if phrases and document.values.get("detector") != "phrase":
            raise UsageError(f"{shown}：这条规则不是 phrase，--phrase 无处可加", hint="只写 --phrase")
        document = read(shown, with_entries(document, "phrases", phrases))
        ruleset, faults = closed({**self.texts, place: document.text}, place)
        own = [_renamed(fault, shown) for fault in faults if fault.path == place]
        rule = next((rule for rule in ruleset.rules if rule.source.path == place), None)
        if own or rule is None:
            fallback = RuleError("发现这里没有规则，应为 `id:`、`detector:` 等键", path=shown)
            others = [fault for fault in faults if fault.path != place]
            raise _joined([*(own or [fallback]), *others])
        return Draft(rule=rule, ruleset=ruleset, document=document, path=place)

    def _place(self, file: Path, text: str) -> str:
        here = self.folder.resolve()
        if file.resolve().is_relative_to(here):
            return file.resolve().relative_to(here).as_posix()
        found = _ID.search(text)
        return _paths(self.texts).get(found[1], TRIED) if found else TRIED


def _joined(faults: Sequence[RuleError]) -> RuleError:
    """One error that lists them all, one a line."""
    first = faults[0]
    message = "\n".join(fault.message for fault in faults)
    message = message.removeprefix(f"{first.path}:{first.line}:{first.column}: ")
    return RuleError(message, path=first.path, line=first.line, column=first.column)


def _renamed(fault: RuleError, shown: str) -> RuleError:
    message = fault.message.removeprefix(f"{fault.path}:{fault.line}:{fault.column}: ")
    return RuleError(message, path=shown, line=fault.line, column=fault.column)


def _paths(texts: Mapping[str, str]) -> dict[str, str]:
    """Path of each rule by its id."""
    found = ((_ID.search(text), path) for path, text in texts.items() if _IS_RULE.search(text))
    return {match[1]: path for match, path in found if match}


def closed(texts: Mapping[str, str], place: str) -> tuple[RuleSet, tuple[RuleError, ...]]:
    """The file at `place`, what is no rule (guards, lists), and the rules that it needs: reading those few
    takes a fraction of the time of reading all."""
    paths = _paths(texts)
    wanted = {place, *(path for path, text in texts.items() if _is_shared(path, text))}
    while True:
        ruleset, faults = examine_texts({path: texts[path] for path in sorted(wanted)})
        named = {paths[need] for rule in ruleset.rules for need in needs(rule) if need in paths}
        if learners(ruleset):
            named |= {path for path, text in texts.items() if _LEARNS.search(text)}
        if named <= wanted:
            return ruleset, faults
        wanted |= named


def _is_shared(path: str, text: str) -> bool:
    return PurePosixPath(path).parts[0] != SCORECARDS and not _IS_RULE.search(text)


def unknown_rule(rule_id: str, known: Iterable[str]) -> NotFound:
    """The error for an id that no rule has, with the nearest one that is there."""
    near = nearest(rule_id, known)
    hint = f"最像的是 {near}" if near else "写规则文件里的 id"
    return NotFound(f"没有规则 {rule_id}", hint=hint)


# whole rule sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two rule sets to compare. `name` says where it came from."""

    name: str
    ruleset: RuleSet


def side(name: str, folder: Path, store: Store) -> Side:
    """A folder, the digest of a stored rule set (a unique prefix), or a git revision of `folder`.

    Raises NotFound: none of these. UsageError: more than one. RuleError: it has faults.
    """
    if Path(name).is_dir():
        return Side(name=f"文件夹 {name}", ruleset=load_ruleset(Path(name)))
    digests = store.ruleset_digests(name.lower()) if _is_prefix(name) else ()
    packed = _archived(name, folder)
    if len(digests) + (packed is not None) > 1:
        listed = "、".join(digest[:16] for digest in digests)
        raise UsageError(f"{name} 可以是 {listed}{'，也可以是 git 版本' if packed else ''}", hint="多写几位")
    if digests:
        return Side(
            name=f"存档规则集 {digests[0][:12]}", ruleset=parse_ruleset(store.ruleset_files(digests[0]))
        )
    if packed is None:
        raise NotFound(
            f"{name}：不是文件夹，不是存过的规则集摘要，也不是 {folder} 的 git 版本",
            hint="例：--base HEAD --head rules",
        )
    return Side(name=f"git {name}", ruleset=parse_ruleset(_unpacked(packed)))


def _is_prefix(name: str) -> bool:
    return len(name) >= LEAST_PREFIX and re.fullmatch(r"[0-9a-fA-F]+", name) is not None


def _archived(revision: str, folder: Path) -> bytes | None:
    """The folder as git kept it, as a tar; None where git does not know the revision or the folder."""
    if revision.startswith("-"):
        return None
    command = ["git", "-C", str(folder), "archive", "--format=tar", revision, "."]
    try:
        result = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return None
    return result.stdout if result.returncode == 0 else None


def _unpacked(packed: bytes) -> dict[str, str]:
    files: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            name = PurePosixPath(member.name).as_posix()
            if content and name.endswith((".yml", ".yaml")):
                files[name] = decode(name, content.read())
    return files


def changed_rules(base: RuleSet, head: RuleSet) -> frozenset[str]:
    """Ids of the rules that may answer differently: their text, that of a rule they build on, or that of a
    file that rules share (guards, lists) is another one."""
    ids = {rule.id for rule in (*base.rules, *head.rules)}
    if _shared(base) != _shared(head):
        return frozenset(ids)
    return frozenset(rule_id for rule_id in ids if _family(base, rule_id) != _family(head, rule_id))


def stale_rules(files: Mapping[str, str], ruleset: RuleSet) -> frozenset[str]:
    """Ids of the rules of a rule set that may answer otherwise than those that were read from `files`."""
    changed = {path for path in {*files, *ruleset.files} if files.get(path) != ruleset.files.get(path)}
    if any(_is_shared(path, files.get(path) or ruleset.files.get(path, "")) for path in changed):
        return frozenset(rule.id for rule in ruleset.rules)
    stale = {rule.id for rule in ruleset.rules if rule.source.path in changed}
    learning = {rule.id for rule in learners(ruleset)}
    if stale & learning or any(_LEARNS.search(files.get(path, "")) for path in changed):
        stale |= learning
    return frozenset(r.id for r in ruleset.rules if stale & {need.id for need in with_needs(ruleset, r)})


def _shared(ruleset: RuleSet) -> dict[str, str]:
    return {path: text for path, text in ruleset.files.items() if _is_shared(path, text)}


def _family(ruleset: RuleSet, rule_id: str) -> dict[str, str]:
    """Digest of the rule and of every rule that it builds on, by id; where one of these learns from examples,
    of all that do."""
    rule = ruleset.rule(rule_id)
    family = with_needs(ruleset, rule) if rule else ()
    learning = learners(ruleset)
    together = learning if any(member in learning for member in family) else ()
    return {member.id: member.digest for member in (*family, *together)}


def by_itself(rule: Rule, ruleset: RuleSet) -> RuleSet:
    """The rule alone, for the whole of any call on any day: no windows, no other rules that cancel."""
    bare = replace(rule, window=Window(), applies=Applies(), effective=ANY_DAY, exceptions=rule.patterns)
    return replace(ruleset, rules=(bare,), templates=(), files={}, digest="")
