"""Every text of the pages is in English, too, and no English is kept that nobody reads."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

import pytest
from jinja2 import nodes
from page_help import Desk
from small_house import small_house

from pipeline.account import Role as Account
from pipeline.appeal import Ruling, State, Step
from pipeline.findings import How, Outcome
from pipeline.queue import WorkState
from pipeline.review import call_view
from pipeline.review.menu import ENTRIES
from pipeline.review.pages import call, guide, rules
from pipeline.review.render import environment
from pipeline.review.words import CHINESE, ENGLISH, english
from pipeline.scorecard import Decision, Verdict
from pipeline.storage.queue_records import Sort, Whose, WhyNot
from pipeline.timeline import Role
from pipeline.workflows.accounts.policy import Action, Scope
from pipeline.workflows.report.desk import Stage
from pipeline.workflows.report.values import Kind
from pipeline.workflows.rulebook.health import Trend

HERE = Path(call_view.__file__).parent
PIPELINE = HERE.parent
TEXT = re.compile("[\u4e00-\u9fff]")
ENUMS: tuple[type[Enum], ...] = (
    Account,
    Action,
    Ruling,
    State,
    Step,
    Decision,
    How,
    Kind,
    Outcome,
    Role,
    Scope,
    Sort,
    Stage,
    Trend,
    Verdict,
    Whose,
    WhyNot,
    WorkState,
)
TABLES: tuple[Iterable[str], ...] = (
    call.DIRECTIONS.values(),
    call.REASONS,
    call.PENDING[:1],
    call_view.TAKES.values(),
    rules.SEVERITIES.values(),
    rules.STATUSES.values(),
    (entry.title for entry in ENTRIES),
    (title for _, title in guide.DOCUMENTS),
)
COMPARED = {"有"}
"""What a template compares with, and does not show."""


FILLED = ("headings", "Heading", "Told", "line", "words")
"""What in a report is called with words that people read."""


def of_enums() -> set[str]:
    return {member.chinese for enum in ENUMS for member in enum}  # type: ignore[attr-defined]


def of_templates() -> set[str]:
    """Every Chinese constant of an expression: an argument of t, or an entry of a list that t is given."""
    found = set()
    for name in environment().list_templates():
        source = (HERE / "templates" / name).read_text(encoding="utf-8")
        parsed = environment().parse(source)
        found |= {each.value for each in parsed.find_all(nodes.Const) if isinstance(each.value, str)}
    return {text for text in found if TEXT.search(text)} - COMPARED


def of_python() -> set[str]:
    """What `words` is asked for, what is told to who is refused, and what the call page says of calls."""
    found = set()
    for tree in _trees(HERE):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in ("words", "Refused", "_region"):
                found |= {text for argument in node.args for text in _constants(argument, told=False)}
            if isinstance(node, ast.FunctionDef) and node.name in ("facts", "tags", "rows", "verdict_of"):
                found |= set(_constants(node, told=False))
    return {text for text in found if TEXT.search(text)}


def of_reports() -> set[str]:
    """Titles, headings and notes of the tables of a report, and why a card cannot be accepted."""
    found = set()
    card = ast.parse((PIPELINE / "workflows/card_document.py").read_text(encoding="utf-8"))
    for tree in (*_trees(PIPELINE / "workflows/report"), card):
        for made in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            shown = made.args if _name(made.func) in FILLED else []
            if _name(made.func) == "Table":
                shown = [each.value for each in made.keywords if each.arg in ("title", "note")]
            found |= {text for part in shown for text in _constants(part, told=False)}
    return found


def written() -> re.Pattern[str]:
    """Every string of the program; where it fills in something, whatever may stand there."""
    texts = {text for tree in _trees(PIPELINE) for text in _constants(tree, told=True)}
    patterns = {text for text in texts if not text.isascii()} | set(map(re.escape, of_templates()))
    return re.compile("|".join(sorted(patterns)))


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _trees(folder: Path) -> Iterator[ast.AST]:
    for path in folder.rglob("*.py"):
        yield ast.parse(path.read_text(encoding="utf-8"))


def _constants(tree: ast.AST, *, told: bool) -> Iterator[str]:
    """The strings; `told`: as patterns, those that fill something in as well."""
    filled = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in filled for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield re.escape(node.value) if told else node.value
    for node in filled if told else ():
        yield "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values
        )


def test_every_text_has_english() -> None:
    tables = {text for table in TABLES for text in table}
    needed = {
        text
        for text in of_templates() | of_python() | of_reports() | of_enums() | tables
        if TEXT.search(text)
    }
    assert sorted(needed - set(english())) == []


def test_no_english_is_kept_that_nobody_reads() -> None:
    read = written()
    assert [text for text in english() if not read.fullmatch(text)] == []


def test_the_levels_of_the_scorecards_are_not_taken_for_words_of_the_page() -> None:
    """“差” is the worst level; it was shown as Difference."""
    assert not {"差", "稍差", "良好", "优秀"} & english().keys()


def test_no_text_is_translated_in_two_places() -> None:
    tables = tomllib.loads((HERE / "english.toml").read_text(encoding="utf-8")).values()
    texts = [text for table in tables for text in table]
    assert sorted({text for text in texts if texts.count(text) > 1}) == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (CHINESE, "红线要人确认：辱骂客户（把握 91%）"),
        (ENGLISH, "A person must confirm the red line: 辱骂客户 (confidence 91%)"),
    ],
)
def test_why_a_card_cannot_be_accepted_is_said_in_the_language_of_the_page(
    tmp_path: Path, language: str, told: str
) -> None:
    with small_house(tmp_path) as house:
        page = Desk(house, "c1").claim().path
        house.client.cookies.set("callscore-language", language)
        assert told in house.get(page).text


def test_english_fills_in_the_same_values() -> None:
    places = re.compile(r"\{(\w*)\}")
    different = [
        text for text, told in english().items() if set(places.findall(text)) != set(places.findall(told))
    ]
    assert different == []


@pytest.mark.parametrize("path", sorted((HERE / "static/js").glob("*.js")), ids=lambda path: path.name)
def test_scripts_get_their_texts_from_the_page(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
    assert not TEXT.search(code)


@pytest.mark.parametrize("name", sorted(environment().list_templates()))
def test_templates_show_no_text_but_through_the_words_of_the_page(name: str) -> None:
    parsed = environment().parse((HERE / "templates" / name).read_text(encoding="utf-8"))
    plain = "".join(data.data for data in parsed.find_all(nodes.TemplateData))
    assert TEXT.findall(re.sub(r'value="[^"]*"', "", plain)) == []
