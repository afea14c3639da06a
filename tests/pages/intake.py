"""A stand-in for intake: tells everybody's contact to whoever brings a token, in the shape of intake's own answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.intake.bodies import CasesBody
from services.intake.views import PersonView
from services.runtime.items import ItemOutcome, ItemOutcomes, ItemProblem
from services.runtime.serving import Listener, serve

NO_GRANT = ItemProblem(status=403, code="no-grant", title="No grant", detail="Nobody accepted this person.")


@dataclass
class Intake:
    """`heard` are the addresses that were asked, `unknown` the cases of which it tells nothing."""

    url: str = ""
    heard: list[str] = field(default_factory=list[str])
    unknown: set[str] = field(default_factory=set[str])


def _contact(case: str) -> PersonView:
    return PersonView(
        case=case, family_name=f"=SUM(1) {case[:4]}", given_names="Amal", phone="+49 541 1", languages=("ara",)
    )


def _app(intake: Intake) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.public = {"/v1/cases/{case}/contact", "/v1/contacts"}

    @app.post("/v1/contacts")
    async def contacts(request: Request, body: CasesBody) -> Response:
        intake.heard.append(request.url.path)
        items = [
            ItemOutcome(id=case, outcome="refused", problem=NO_GRANT)
            if case in intake.unknown
            else ItemOutcome(id=case, outcome="applied", standing=_contact(case).model_dump(mode="json"))
            for case in body.cases
        ]
        return Response(ItemOutcomes(items=items).model_dump_json(), media_type="application/json")

    @app.get("/v1/cases/{case}/contact")
    async def contact(request: Request, case: str) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse({"detail": "Please sign in."}, 401)
        intake.heard.append(request.url.path)
        return Response(_contact(case).model_dump_json(), media_type="application/json")

    return app


@asynccontextmanager
async def stand_in() -> AsyncIterator[Intake]:
    listener, stop = Listener("127.0.0.1", 0), asyncio.Event()
    intake = Intake(url=f"http://127.0.0.1:{listener.port}")
    serving = asyncio.create_task(serve(_app(intake), listener, stop))
    yield intake
    stop.set()
    await serving
