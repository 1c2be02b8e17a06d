"""The door of every page: who asks, may they, did the request come from our own page; then the answer."""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.formparsers import FormParser, MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from pipeline.errors import CallscoreError, NotFound, RuleError, StorageError, UsageError
from pipeline.review import headers
from pipeline.review.cookies import LANGUAGE_COOKIE, SESSION_COOKIE, VISITOR_COOKIE, keep_visitor
from pipeline.review.page import EVERYBODY, Page
from pipeline.review.render import page_of
from pipeline.review.site import Form, Site, Visit
from pipeline.review.words import CHINESE, LANGUAGES, words_in
from pipeline.workflows.accounts.policy import may, offers
from pipeline.workflows.accounts.sessions import session_user

LOG = logging.getLogger("callscore.review")

TOKEN_FIELD, TOKEN_HEADER = "csrf", "x-csrf-token"
WRITING = ("POST",)
MOST_ASKED = 200
"""Fields in an address."""


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """An answer that is not the page: status, and what to tell the person."""

    status: int
    told: str
    hint: str = ""


BUSY = Refused(503, "数据库暂时用不了，没有保存", "过一会儿再试；一直这样就告诉管理员")
SHUT = Refused(
    503, "数据库写不进去，没有保存", "告诉管理员：磁盘可能满了，或数据库、审计日志不许写；服务器的日志里写着"
)


class Endpoint:
    """One page as an ASGI application. `lane`: how many may be answered at once; None: as many as come."""

    def __init__(self, site: Site, page: Page, lane: CapacityLimiter | None = None) -> None:
        self.site, self.page, self.lane = site, page, lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        visitor = request.cookies.get(VISITOR_COOKIE) or secrets.token_urlsafe(24)
        try:
            query = _query(request)
            form = await _form(request, self.page.largest_form) if self.page.method in WRITING else Form()
        except ClientDisconnect:
            return
        except Refused as refused:
            work = partial(self._answer, self._visit(request, visitor), partial(told, refused=refused))
        else:
            visit = replace(self._visit(request, visitor), query=query, form=form)
            work = partial(self._answer, visit, self._guarded)
        answer = await to_thread.run_sync(work, limiter=self.lane)
        if VISITOR_COOKIE not in request.cookies:
            keep_visitor(answer, visitor)
        await answer(scope, receive, send)

    def _answer(self, visit: Visit, page: Callable[[Visit], Response]) -> Response:
        """What the page answers somebody, or what went wrong."""
        try:
            visit = self._recognised(visit)
            answer = page(visit)
        except Refused as refused:
            answer = told(visit, refused)
        except NotFound as error:
            answer = told(visit, Refused(404, error.message, error.hint))
        except UsageError as error:
            answer = told(visit, Refused(422, error.message, error.hint))
        except StorageError as error:
            LOG.error("%s %s: %s", visit.method, self.page.path, error.message)
            answer = told(visit, BUSY if error.passing else SHUT)
        except RuleError as error:
            LOG.error("%s %s: %s", visit.method, self.page.path, error.message)
            first, *more = error.message.splitlines()
            hint = f"{first}（另有 {len(more)} 处）" if more else first
            answer = told(visit, Refused(503, "规则文件有错，改好之前这一步做不了", hint))
        except CallscoreError as error:
            LOG.error("%s %s: %s", visit.method, self.page.path, type(error).__name__)
            answer = told(visit, Refused(503, error.message, error.hint))
        except Exception as error:
            number = secrets.token_hex(4)
            LOG.error("%s %s: %s %s", visit.method, self.page.path, number, _place(error))
            fault = visit.words("程序出错了，编号 {number}", number=number)
            answer = told(visit, Refused(500, fault, "把编号告诉管理员"))
        return finished(answer, visit)

    def _guarded(self, visit: Visit) -> Response:
        if self.page.method in WRITING:
            check_origin(visit, self.site)
            check_token(visit)
        if self.page.access is not EVERYBODY and visit.user is None:
            return to_login(visit)
        if visit.user is not None and visit.user.must_change and self.page.access is None:
            return to_password(visit)
        if not self._may(visit):
            raise self._refused(visit)
        return self.page.answer(visit)

    def _may(self, visit: Visit) -> bool:
        """What the page is about is only looked up for those whose role has any use for it."""
        action = self.page.action
        if action is None:
            return True
        return offers(visit.who.role, action) and may(visit.who, action, self.page.thing(visit))

    def _refused(self, visit: Visit) -> Refused:
        """A role that has no use for the page, or one to which only this call or rule is closed."""
        words, wanted = visit.words, self.page.action
        action = words(wanted.chinese) if wanted else ""
        if wanted and offers(visit.who.role, wanted):
            told = words("这一个您现在不能看，或不能改：{action}", action=action)
            return Refused(403, told, "质检员先在队列里领这一通，主管只管本班组；别的找管理员")
        told = words("{role}不能{action}", role=words(visit.who.role.chinese), action=action)
        return Refused(403, told, "需要权限的，找管理员")

    def _recognised(self, visit: Visit) -> Visit:
        """The visit with whoever is logged in. Raises StorageError."""
        user = session_user(visit.store, visit.session, visit.site.settings, at=visit.now)
        if user is None:
            return replace(visit, session="")
        return replace(visit, user=user, token=signed(visit.session))

    def _visit(self, request: Request, visitor: str) -> Visit:
        """A visit of nobody yet."""
        language = request.cookies.get(LANGUAGE_COOKIE, CHINESE)
        return Visit(
            site=self.site,
            method=self.page.method,
            path=request.url.path,
            params=dict(request.path_params),
            query=Form(),
            form=Form(),
            user=None,
            session=request.cookies.get(SESSION_COOKIE, ""),
            token=signed(visitor),
            nonce=headers.new_nonce(),
            address=request.client.host if request.client else "",
            words=words_in(language if language in LANGUAGES else CHINESE),
            headers=dict(request.headers),
        )


def signed(secret: str) -> str:
    """The token of the forms of one session: only who has the cookie can make it."""
    return hmac.new(secret.encode(), b"callscore form", hashlib.sha256).hexdigest()


def check_token(visit: Visit) -> None:
    """Raises Refused: the form is not from a page of this session."""
    given = visit.headers.get(TOKEN_HEADER) or visit.form.text(TOKEN_FIELD)
    if not hmac.compare_digest(given.encode(), visit.token.encode()):
        raise Refused(403, "这一页已过期，没有提交", "刷新页面，再做一次")


def check_origin(visit: Visit, site: Site) -> None:
    """Raises Refused: another site's page sent the form, or the browser does not say whose."""
    host = visit.headers.get("host", "")
    if visit.headers.get("origin") not in (f"http://{host}", f"https://{host}", *site.addresses):
        raise Refused(403, "请求不是从本站的页面发出的，没有提交", "从本站的页面上操作")


def to_login(visit: Visit) -> Response:
    """Where nobody is logged in: to the login, and back here afterwards."""
    if visit.is_fragment:
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse("/login" if visit.path == "/" else f"/login?next={visit.path}", status_code=303)


def to_password(visit: Visit) -> Response:
    """Who was handed a password changes it before anything else."""
    if visit.is_fragment:
        return Response(status_code=403, headers={"HX-Redirect": "/me"})
    return RedirectResponse("/me", status_code=303)


def told(visit: Visit, refused: Refused) -> Response:
    """What went wrong, as a page, or as the part of one that asked."""
    name = "refusal_part.html" if visit.is_fragment else "refusal.html"
    words = visit.words
    refused = Refused(refused.status, words(refused.told), words(refused.hint))
    answer = page_of(visit, name, refused=refused)
    answer.status_code = refused.status
    if visit.is_fragment:
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#notice", "innerHTML"
    return answer


def finished(answer: Response, visit: Visit) -> Response:
    """The answer with what every browser must be told."""
    for name, value in headers.ALWAYS.items():
        answer.headers[name] = value
    answer.headers["Content-Security-Policy"] = headers.policy(visit.nonce)
    answer.headers.setdefault("Cache-Control", headers.PRIVATE)
    return answer


def _query(request: Request) -> Form:
    try:
        return Form(values=parse_qs(request.url.query, max_num_fields=MOST_ASKED))
    except ValueError as error:
        raise Refused(400, "看不懂这个地址", "从本站的页面上操作") from error


async def _form(request: Request, largest: int) -> Form:
    size = request.headers.get("content-length", "")
    if not size.isdecimal() or int(size) > largest:
        raise Refused(413, "提交的内容太大，没有收", f"最多 {largest // 1024} KiB")
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "看不懂提交的内容", "从本站的页面上操作")
    try:
        found = await FormParser(Headers(scope=request.scope), request.stream()).parse()
    except (MultiPartException, UnicodeDecodeError, ValueError) as error:
        raise Refused(400, "看不懂提交的内容", "从本站的页面上操作") from error
    values: dict[str, list[str]] = {}
    for name, value in found.multi_items():
        values.setdefault(name, []).append(str(value))
    return Form(values=values)


def _place(error: Exception) -> str:
    """Where it happened, never what was in it: messages of foreign errors may quote what was said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
