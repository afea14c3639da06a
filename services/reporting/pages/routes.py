"""Reporting's pages put together: who sees which part, and everything under ``/pages``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from schemas.codes import Role
from schemas.places import UnknownPlace, county
from services.reporting.dashboard.published import MESSAGES as DASHBOARD_MESSAGES
from services.reporting.dashboard.published import Gallery
from services.reporting.indicators.api import MESSAGES as INDICATOR_MESSAGES
from services.reporting.indicators.reading import PublishedFigures
from services.reporting.pages.dashboard import DASHBOARD, add_dashboard
from services.reporting.pages.deliveries import DELIVERIES, add_deliveries
from services.reporting.pages.indicators import INDICATORS_PAGE, add_indicator_pages
from services.reporting.pages.plan import PLAN, add_plan
from services.reporting.pages.plan_forms import add_plan_forms
from services.reporting.pages.yearly import YEARLY, add_yearly
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.pages import PAGE_MESSAGES, NavEntry, Pages, SampleUser, common_routes, not_found_route
from services.runtime.running import Running
from services.runtime.tokens import Actor

HERE: Final = Path(__file__).parent


def page_routes(running: Running, published: PublishedFigures) -> APIRouter:
    """Everything under ``/pages``."""
    catalogue = Catalogue(
        *(RUNTIME_MESSAGES, PAGE_MESSAGES, running.service.messages),
        *(INDICATOR_MESSAGES, DASHBOARD_MESSAGES, HERE / "messages"),
    )
    pages = Pages(running.settings, catalogue, HERE / "templates", nav=_nav)
    router = pages.router()
    gallery = Gallery(running, published, catalogue)
    add_dashboard(router, running, pages, published, gallery)
    add_yearly(router, running, pages, published, gallery)
    add_indicator_pages(router, running, pages, published)
    add_deliveries(router, running, pages)
    add_plan(router, running, pages)
    add_plan_forms(router, running, pages)

    async def people() -> Sequence[SampleUser]:
        return _sample_users(running)

    common = common_routes(pages, INDICATORS_PAGE, people)
    return APIRouter(routes=[*common.routes, *router.routes, *not_found_route(pages).routes])


def _nav(actor: Actor) -> Sequence[NavEntry]:
    if actor.role not in (Role.COORDINATOR, Role.REPORTER):
        return ()
    return (
        NavEntry(DASHBOARD, "reporting.nav.dashboard", (DASHBOARD,)),
        NavEntry(YEARLY, "reporting.nav.yearly", (YEARLY,)),
        NavEntry(INDICATORS_PAGE, "reporting.nav.indicators", (INDICATORS_PAGE,)),
        NavEntry(DELIVERIES, "reporting.nav.deliveries", (DELIVERIES,)),
        NavEntry(PLAN, "reporting.nav.plan", (PLAN,)),
    )


def _sample_users(running: Running) -> list[SampleUser]:
    """On one machine: a coordinator and a reporter of each county."""
    return [
        SampleUser(f"{role}-1", role, f"reporting.role.{role}", key, name=_county_name(key))
        for key in running.settings.counties
        for role in (Role.COORDINATOR, Role.REPORTER)
    ]


def _county_name(key: str) -> str:
    try:
        return county(key).name
    except UnknownPlace:
        return key
