"""What each role may do, and the keys."""

from starlette.responses import Response

from pipeline.account import Role
from pipeline.review.page import LOGGED_IN, Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import POLICY, Action

DOCUMENTS = (
    ("reviews.md", "复核、盲评、申诉、一致率"),
    ("scorecards.md", "评分表怎么算分"),
    ("reports.md", "报表和抽样里的数怎么算"),
    ("disputes.md", "争议：重放、更正、案卷"),
    ("rules.md", "规则怎么写"),
    ("tuning.md", "怎么调规则"),
    ("commands.md", "全部命令"),
    ("settings.md", "全部设置"),
)


def guide(visit: Visit) -> Response:
    return page_of(
        visit, "help.html", roles=tuple(Role), actions=tuple(Action), policy=POLICY, documents=DOCUMENTS
    )


PAGES = (Page(path="/help", answer=guide, access=LOGGED_IN),)
