"""The cookies. `__Host-`: only this host, only over TLS (or on this machine), never for a sub-domain."""

from starlette.responses import Response

SESSION_COOKIE = "__Host-callscore"
VISITOR_COOKIE = "__Host-callscore-visitor"
"""Signs the form of the login, before there is a session."""
LANGUAGE_COOKIE = "callscore-language"


def keep_session(answer: Response, token: str) -> None:
    """For as long as the browser is open; the server ends it sooner."""
    answer.set_cookie(SESSION_COOKIE, token, secure=True, httponly=True, samesite="strict", path="/")


def keep_visitor(answer: Response, secret: str) -> None:
    answer.set_cookie(VISITOR_COOKIE, secret, secure=True, httponly=True, samesite="strict", path="/")


def drop_session(answer: Response) -> None:
    answer.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="strict", path="/")
