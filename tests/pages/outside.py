"""What stands outside: a mail server that keeps what it is sent, and an endpoint for webhooks that checks signatures as receivers do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.serving import Listener, serve


@dataclass
class MailServer:
    """Speaks as much SMTP as a client needs. `refuse` answers RCPT so."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    refuse: str = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 here")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "RCPT" and self.refuse:
                await say(self.refuse)
            elif verb == "DATA":
                await say("354 go on")
                told = await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(message_from_bytes(told[:-5], policy=policy.default))  # pyright: ignore[reportArgumentType]
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 good")
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


@dataclass
class Endpoint:
    """A partner's endpoint. Answers `status`; `heard` are the requests, as (headers, body)."""

    url: str = ""
    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def verified(self, secret: str) -> list[tuple[str, bytes]]:
        """What was heard, by the letter of Standard Webhooks: id and body, if the signature is right."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        found: list[tuple[str, bytes]] = []
        for headers, body in self.heard:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            assert headers["webhook-signature"] == f"v1,{expected}"
            found.append((headers["webhook-id"], body))
        return found


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    here = Endpoint()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.public = {"/hook"}

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        here.heard.append((dict(request.headers), await request.body()))
        headers: dict[str, Any] = {"location": "/elsewhere"} if 300 <= here.status < 400 else {}
        return Response(status_code=here.status, headers=headers)

    listener, stop = Listener("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(app, listener, stop))
    here.url = f"http://127.0.0.1:{listener.port}/hook"
    yield here
    stop.set()
    await serving
