"""Login, logout, the own password, language, and the files that everybody may have."""

from starlette.responses import RedirectResponse, Response

from pipeline.errors import NotFound
from pipeline.review.assets import file_of
from pipeline.review.guard import LANGUAGE_COOKIE, SESSION_COOKIE
from pipeline.review.menu import first_page
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.words import LANGUAGES
