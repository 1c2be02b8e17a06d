"""Login, logout, the own password, the language, and the files that everybody may have."""

from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from pipeline.review.assets import file_of
from pipeline.review.cookies import LANGUAGE_COOKIE, drop_session, keep_session
from pipeline.review.menu import first_page
from pipeline.review.page import EVERYBODY, LOGGED_IN, Lane, Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.words import CHINESE, LANGUAGES
from pipeline.workflows.accounts.sessions import Attempt, Refusal, change_password, log_in, log_out

YEAR_SECONDS = 365 * 24 * 3600


def home(visit: Visit) -> Response:
    """Where somebody begins: the first page that they may open."""
    return RedirectResponse(first_page(visit) if visit.user else "/login", status_code=303)


def form(visit: Visit) -> Response:
    return _form(visit, next_page=visit.query.text("next"))


def enter(visit: Visit) -> Response:
    """Log in, and go on to where the person wanted to be."""
    attempt = Attempt(
        login=visit.form.text("login"),
        password="".join(visit.form.values.get("password", ())[-1:]),
        address=visit.address,
    )
    found = log_in(attempt, visit.store, visit.site.settings, at=visit.now)
    next_page = visit.form.text("next")
    if isinstance(found, Refusal):
        answer = _form(visit, fault=found.told, login=attempt.login, next_page=next_page)
        answer.status_code = 429 if found.again_at else 401
        return answer
    answer = RedirectResponse(next_page if is_own(next_page) else "/", status_code=303)
    keep_session(answer, found.token)
    return answer


def leave(visit: Visit) -> Response:
    """Log out: the session ends here, not only in the browser."""
    if visit.session:
        log_out(visit.session, visit.store, at=visit.now)
    answer = RedirectResponse("/login", status_code=303)
    drop_session(answer)
    return answer


def me(visit: Visit) -> Response:
    return page_of(visit, "me.html", fault="", languages=LANGUAGES)


def password(visit: Visit) -> Response:
    """Another password; all sessions end, this one too."""
    fields = visit.form.values
    old, new, again = ("".join(fields.get(name, ())[-1:]) for name in ("old", "new", "again"))
    if new != again:
        return _me(visit, visit.words("两次输入的新密码不一样"))
    attempt = Attempt(login=visit.who.login, password=old, address=visit.address)
    refusal = change_password(attempt, new, visit.store, visit.site.settings, at=visit.now)
    if refusal is not None:
        return _me(visit, refusal.told)
    answer = RedirectResponse("/login", status_code=303)
    drop_session(answer)
    return answer


def language(visit: Visit) -> Response:
    """Chinese or English, kept in the browser."""
    chosen = visit.form.text("language")
    answer = RedirectResponse("/me" if visit.user else "/login", status_code=303)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        chosen if chosen in LANGUAGES else CHINESE,
        max_age=YEAR_SECONDS,
        httponly=True,
        secure=True,
        samesite="strict",
    )
    return answer


def static(visit: Visit) -> Response:
    return file_of(visit.params["name"])


def is_own(address: str) -> bool:
    """Whether it is a page of ours: nobody is sent elsewhere after the login."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = address.isprintable() and "\\" not in address
    return (
        plain and not parts.scheme and not parts.netloc and parts.path.startswith("/") and address[:2] != "//"
    )


def _form(visit: Visit, *, fault: str = "", login: str = "", next_page: str = "") -> Response:
    return page_of(visit, "login.html", fault=fault, login=login, next=next_page, languages=LANGUAGES)


def _me(visit: Visit, fault: str) -> Response:
    answer = page_of(visit, "me.html", fault=fault, languages=LANGUAGES)
    answer.status_code = 422
    return answer


PAGES = (
    Page(path="/", answer=home, access=EVERYBODY),
    Page(path="/login", answer=form, access=EVERYBODY),
    Page(path="/login", method="POST", answer=enter, access=EVERYBODY, lane=Lane.LOGIN),
    Page(path="/logout", method="POST", answer=leave, access=EVERYBODY),
    Page(path="/language", method="POST", answer=language, access=EVERYBODY),
    Page(path="/me", answer=me, access=LOGGED_IN),
    Page(path="/me/password", method="POST", answer=password, access=LOGGED_IN, lane=Lane.LOGIN),
    Page(path="/static/{digest}/{name:path}", answer=static, access=EVERYBODY),
)
