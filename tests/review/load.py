"""Several inspectors at a real server at once: each logs in, claims, marks, undoes and hands in."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import demo
import httpx

from pipeline.account import Role
from pipeline.scorecard import Decision
from pipeline.scoring.score import score
from pipeline.settings import Settings
from pipeline.storage.queue_records import PageOf, QueueFilter, QueueLine
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import Application, By, add_user
from pipeline.workflows.rescore import Scorer

TIMEOUT_SECONDS = 60
FIRST_CALL = 0x10AD_0000_0000_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request: what it was for, how long it took, and what was wrong with the answer ("": nothing)."""

    what: str
    ms: float
    fault: str


@dataclass(slots=True, kw_only=True)
class Load:
    """What the inspectors did. `handed_in`: by call, who, and the reason that their decision carries."""

    steps: list[Step] = field(default_factory=list)
    handed_in: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> list[str]:
        return [f"{step.what}: {step.fault}" for step in self.steps if step.fault]

    def of(self, what: str) -> list[float]:
        return sorted(step.ms for step in self.steps if step.what == what)


def add_inspectors(store: Store, count: int, password: str, by: By) -> tuple[str, ...]:
    logins = tuple(f"inspector{number:02d}" for number in range(1, count + 1))
    for login in logins:
        add_user(Application(login=login, role=Role.INSPECTOR, password=password), store, by)
    return logins


def add_calls(store: Store, settings: Settings, count: int) -> None:
    """The demo calls again and again, as calls of their own."""
    scorer = Scorer.in_force(store, settings, at=demo.NIGHT)
    known = [scorer.scored(call) for call in demo.heard()]
    for number in range(count):
        again = _copied(known[number % len(known)], number, settings)
        store.save_night_result(again, at=demo.NIGHT, reason="night")


def _copied(scored: ScoredCall, number: int, settings: Settings) -> ScoredCall:
    name = f"{FIRST_CALL + number:016x}"
    recording = replace(scored.recording, id=name, sha256=name * 4, call_id=f"load{number:04d}")
    findings = [replace(finding, recording_id=name) for finding in scored.findings]
    form = scored.ruleset.template_for(recording, ZoneInfo(settings.time_zone))
    provenance = scored.transcript.provenance
    card = score(recording, findings, form, scored.ruleset, provenance, ()) if form else None
    return replace(scored, recording=recording, findings=findings, scorecard=card)


class Inspector:
    """One at the page. Cookies are sent by hand: only a browser sends `Secure` ones over plain HTTP to this
    machine."""

    def __init__(self, address: str, login: str, load: Load, client: httpx.Client) -> None:
        self.address, self.login, self.load, self.client = address, login, load, client
        self.cookies: dict[str, str] = {}

    def asks(self, what: str, method: str, path: str, *, expected: int, **fields: str) -> httpx.Response:
        headers = {
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "origin": self.address,
        }
        if what in ("mark", "undo", "submit"):
            headers["hx-request"] = "true"
        began = time.perf_counter()
        answer = self.client.request(
            method, self.address + path, headers=headers, data=fields if method == "POST" else None
        )
        ms = 1000 * (time.perf_counter() - began)
        place = answer.headers.get("location", "")
        wrong = "" if answer.status_code == expected else f"{answer.status_code} {place} {_text(answer)}"
        self.load.steps.append(Step(what=what, ms=ms, fault=wrong))
        for kept in answer.headers.get_list("set-cookie"):
            name, _, value = kept.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def log_in(self, password: str) -> None:
        form = self.asks("login form", "GET", "/login", expected=200)
        fields = {"csrf": _token(form), "login": self.login, "password": password}
        self.asks("log in", "POST", "/login", expected=303, **fields)

    def works(self, calls: int) -> None:
        """So many calls, as long as there are any."""
        for number in range(calls):
            queue = self.asks("queue", "GET", "/queue", expected=200)
            claimed = self.asks("claim", "POST", "/queue/next", expected=303, csrf=_token(queue))
            place = claimed.headers["location"]
            if not place.startswith("/calls/"):
                return
            self.reviews(place, f"{self.login} 第 {number} 通")

    def reviews(self, place: str, reason: str) -> None:
        """Two marks, the second one taken back, and handed in."""
        page = self.asks("call", "GET", place, expected=200)
        token, (first, second, *_) = _token(page), _items(page.text)
        kept = self.marks(page, place, token, first, reason)
        dropped = self.marks(kept, place, token, second, f"{reason}，收回")
        undone = self.asks(
            "undo", "POST", f"{place}/undo", expected=200, csrf=token, version=_version(dropped)
        )
        if reason not in undone.text or "收回" in undone.text:
            self.load.steps.append(Step(what="undo", ms=0, fault="the card does not show it"))
        fields = {"csrf": token, "version": _version(undone), "partial": "yes"}
        done = self.asks("submit", "POST", f"{place}/submit", expected=204, **fields)
        if done.status_code == 204:
            self.load.handed_in.append((place.removeprefix("/calls/"), self.login, reason))

    def marks(
        self, page: httpx.Response, place: str, token: str, item: tuple[str, str], reason: str
    ) -> httpx.Response:
        fields = {"csrf": token, "version": _version(page), "kind": "value", "reason": reason}
        fields |= {"target": item[0], "value": item[1]}
        return self.asks("mark", "POST", f"{place}/mark", expected=200, **fields)


def run(address: str, logins: Sequence[str], password: str, calls: int) -> Load:
    """All at once, so many calls each."""
    load, start = Load(), threading.Barrier(len(logins))

    def one(login: str) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            inspector = Inspector(address, login, load, client)
            start.wait(TIMEOUT_SECONDS)
            inspector.log_in(password)
            inspector.works(calls)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(logins)) as pool:
        for done in [pool.submit(one, login) for login in logins]:
            _noted(load, done)
    load.seconds = time.perf_counter() - began
    return load


def _noted(load: Load, done: Future[None]) -> None:
    """An inspector who could not go on is a fault, and the others go on."""
    try:
        done.result()
    except (httpx.HTTPError, ValueError) as error:
        load.steps.append(Step(what="going on", ms=0, fault=f"{type(error).__name__} {error}"))


def lost(store: Store, load: Load) -> Iterator[str]:
    """What the database does not hold exactly as it was handed in."""
    calls = Counter(call for call, _, _ in load.handed_in)
    yield from (f"{call}: handed in {times} times" for call, times in calls.items() if times > 1)
    for call, who, reason in load.handed_in:
        reviews = store.reviews(call)
        if {review.who for review in reviews} != {who}:
            yield f"{call}: decided by {sorted({review.who for review in reviews})}, expected {who}"
        if sum(review.decision is Decision.DONE for review in reviews) != 1:
            yield f"{call}: not done exactly once"
        if [review.reason for review in reviews if review.reason] != [reason]:
            yield f"{call}: the decision is not there exactly once, or one that was taken back is"
    decided = {line.recording_id for line in _lines(store) if store.reviews(line.recording_id)}
    yield from (f"{call}: decided, but never handed in" for call in decided - set(calls))


def _lines(store: Store) -> Iterator[QueueLine]:
    which, page = QueueFilter(), PageOf(size=200)
    while True:
        found = store.queue(which, page, at=demo.NIGHT)
        yield from found.lines
        if not found.after:
            return
        page = replace(page, after=found.after)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"{pattern} is not on the page: {text[:300]}")
    return found[1]


def _token(page: httpx.Response) -> str:
    return _found(r'name="csrf" content="([0-9a-f]+)"', page.text)


def _version(page: httpx.Response) -> str:
    return _found(r'data-version="(\d+)"', page.text)


def _text(answer: httpx.Response) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", answer.text)[-200:]


def _items(text: str) -> list[tuple[str, str]]:
    """The items of the card that have levels, each with its worst one."""
    found = []
    for part in text.split('<details class="item')[1:]:
        levels = re.findall(r'data-level name="value" value="([^"]+)"', part)
        if levels and (name := re.search(r'id="item-([\w.]+)"', part)):
            found.append((name[1], levels[-1]))
    return found
