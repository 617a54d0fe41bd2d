"""The pages for people: one handler and one template for each, and the table of them all."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fediblog.web import path_convertors

path_convertors.register()

from fediblog.web.pages import (  # noqa: E402  the routes below need the shapes registered above
    admin_pages,
    apps_page,
    archive_pages,
    blog_pages,
    buttons,
    category_pages,
    consent_page,
    filter_pages,
    frame_pages,
    free_page,
    history_page,
    letter_pages,
    login_pages,
    new_account_page,
    notice_pages,
    passkey_pages,
    people_pages,
    post_page,
    profile_page,
    report_page,
    search_pages,
    security_pages,
    settings_pages,
    showcase_page,
    stream_pages,
    timeline_pages,
    writing_pages,
)
from fediblog.web.pages.own import import_pages, leaving_pages, numbers_page, trash_pages  # noqa: E402
from fediblog.web.pages.server import (  # noqa: E402
    block_list_pages,
    case_pages,
    members_pages,
    server_page,
    visitor_report_page,
    wave_page,
)

ROUTES: list[BaseRoute] = [
    *blog_pages.ROUTES,
    *archive_pages.ROUTES,
    *category_pages.ROUTES,
    *free_page.ROUTES,
    *login_pages.ROUTES,
    *new_account_page.ROUTES,
    *consent_page.ROUTES,
    *frame_pages.ROUTES,
    *stream_pages.ROUTES,
    *letter_pages.ROUTES,
    *notice_pages.ROUTES,
    *timeline_pages.ROUTES,
    *search_pages.ROUTES,
    *people_pages.ROUTES,
    *import_pages.ROUTES,
    *numbers_page.ROUTES,
    *filter_pages.ROUTES,
    *report_page.ROUTES,
    *history_page.ROUTES,
    *writing_pages.ROUTES,
    *trash_pages.ROUTES,
    *buttons.ROUTES,
    *admin_pages.ROUTES,
    *block_list_pages.ROUTES,
    *case_pages.ROUTES,
    *visitor_report_page.ROUTES,
    *wave_page.ROUTES,
    *members_pages.ROUTES,
    *server_page.ROUTES,
    *settings_pages.ROUTES,
    *security_pages.ROUTES,
    *passkey_pages.ROUTES,
    *leaving_pages.ROUTES,
    *showcase_page.ROUTES,
    *apps_page.ROUTES,
    *profile_page.ROUTES,
    *post_page.ROUTES,
]
