"""Reporting's pages: the indicators, what suppliers deliver for them, and the county's action plan."""

from services.reporting.pages.routes import page_routes

__all__ = ["page_routes"]
