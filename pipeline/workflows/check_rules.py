"""Which rule files a person means, to test or to lint them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pipeline.detect.cases import Prepare
from pipeline.detect.document import decode
from pipeline.detect.load import ID, read_texts
from pipeline.errors import NotFound, RuleError
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.rules import rules_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The texts of a rules folder, and the files among them that are meant; `only` empty: all.

    A file from elsewhere takes the place of the rule with its id. `faults`: files that cannot be read.
    """

    folder: Path
    texts: dict[str, str]
    faults: tuple[RuleError, ...] = ()
    only: frozenset[str] = frozenset()
    outside: dict[str, Path] = field(default_factory=dict)

    def __contains__(self, path: str) -> bool:
        parents = {str(parent) for parent in PurePosixPath(path).parents}
        return not self.only or path in self.only or bool(self.only & parents)

    def shown(self, path: str) -> str:
        """Where a file lies, as seen from the current folder."""
        place = self.outside.get(path, self.folder / path)
        here = Path.cwd()
        return str(place.relative_to(here)) if place.is_relative_to(here) else str(place)


def choose(settings: Settings, paths: Iterable[Path]) -> Chosen:
    """The files that `paths` name, within the rules folder of the settings. A folder that lies elsewhere is a
    rules folder itself. Raises NotFound."""
    listed = tuple(path.absolute() for path in paths)
    folder = _folder(settings, listed)
    texts, faults = read_texts(folder)
    chosen = Chosen(folder=folder, texts=texts, faults=tuple(faults))
    for path in listed:
        chosen = _with(chosen, path)
    return chosen


def prepared(settings: Settings, ruleset: RuleSet) -> tuple[RuleSet, Prepare]:
    """The rule set with what its examples teach, and what makes the call of a case fit for it."""
    understanding = Understanding(settings)
    taught = understanding.taught(ruleset)
    return taught, understanding.with_sentences if taught.meaning else lambda call: call


def _folder(settings: Settings, paths: tuple[Path, ...]) -> Path:
    folder = rules_folder(settings).absolute()
    elsewhere = (p for p in paths if p.is_dir() and not p.resolve().is_relative_to(folder.resolve()))
    return next(elsewhere, folder)


def _with(chosen: Chosen, path: Path) -> Chosen:
    if not path.exists():
        raise NotFound(f"{path}：没有这个文件", hint="给出规则文件，或规则文件夹里的一个文件夹")
    folder = chosen.folder.resolve()
    if path.resolve() == folder:
        return chosen
    if path.resolve().is_relative_to(folder):
        inside = path.resolve().relative_to(folder).as_posix()
        return replace(chosen, only=chosen.only | {inside})
    return _from_elsewhere(chosen, path)


def _from_elsewhere(chosen: Chosen, path: Path) -> Chosen:
    name = path.name
    try:
        text = decode(name, path.read_bytes())
    except RuleError as error:
        return replace(chosen, faults=(*chosen.faults, error), outside={**chosen.outside, name: path})
    found = ID.search(text)
    place = _place(chosen.texts, found[1]) if found else None
    texts = {other: kept for other, kept in chosen.texts.items() if other != place} | {name: text}
    outside = {**chosen.outside, name: path}
    return replace(chosen, texts=texts, only=chosen.only | {name}, outside=outside)


def _place(texts: dict[str, str], rule_id: str) -> str | None:
    """The file that holds a rule."""
    found = ((match[1], path) for path, text in texts.items() if (match := ID.search(text)))
    return next((path for named, path in found if named == rule_id), None)
