"""The gateway itself, in this process, until it is stopped, unused for 15 minutes (LKCOOK_IDLE, seconds), or interrupted."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from pathlib import Path

from aiohttp import web

from lkcook import paths
from lkcook.gateway import address, certificate
from lkcook.gateway.auth import Credentials
from lkcook.gateway.server import IDLE, build, until_unused

logger = logging.getLogger("lkcook.gateway")


def serve_forever() -> None:
    """Run the gateway in this process until it is stopped, unused for long, or interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_serve())


async def _serve() -> None:
    credentials = Credentials()
    app = build(credentials)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    tls, authorities = certificate.server_context(paths.runtime_dir())
    for context, listener in zip((None, tls), _listeners()):
        await web.SockSite(runner, listener, ssl_context=context).start()
    port, secure_port = (bound[1] for bound in runner.addresses)
    _ports_file().write_text(json.dumps([port, secure_port]))
    mine = address.Address(
        url=f"http://127.0.0.1:{port}/v1",
        api_key=credentials.api_key,
        api_secret=credentials.api_secret,
        pid=os.getpid(),
        code=address.code(),
        secure_url=f"https://127.0.0.1:{secure_port}",
        authorities=str(authorities),
    )
    address.write(mine)
    logger.info("listening on %s", mine.url)
    try:
        await until_unused(app, float(os.environ.get("LKCOOK_IDLE", IDLE)))
    finally:
        address.forget(mine)
        await runner.cleanup()


def _listeners() -> list[socket.socket]:
    """Two, at the ports of the last gateway if they are free: a notebook may have kept its address in a variable."""
    try:
        ports = [int(port) for port in json.loads(_ports_file().read_text())]
    except (OSError, ValueError, TypeError):
        ports = []
    return [_listener(port) for port in (*ports, 0, 0)[:2]]


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError):
        return socket.create_server(("127.0.0.1", 0))


def _ports_file() -> Path:
    return paths.runtime_dir() / "gateway.ports"
