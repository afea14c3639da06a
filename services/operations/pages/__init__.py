"""The console's pages: how everything stands, lag over time, dead letters, and the ways of people."""

from services.operations.pages.routes import page_routes

__all__ = ["page_routes"]
