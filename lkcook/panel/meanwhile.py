"""What goes on in a panel beside the call: meters that move, models that load, devices that change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from lkcook import backend
from lkcook.errors import CookError

if TYPE_CHECKING:
    from lkcook.call import Call
    from lkcook.panel.picture import Picture

FPS = 25  # of the level meters


class Meanwhile:
    """Tasks until `close()`. draw() is called after each; what a device or a model refuses becomes a note."""

    def __init__(self, picture: Picture, draw: Callable[[], None]) -> None:
        self._picture, self._draw = picture, draw
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else."""
        task = asyncio.ensure_future(self._told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def move_the_meters(self, call: Call, send: Callable[[dict[str, Any]], None]) -> None:
        """Send the levels as they are, again and again."""
        while True:
            send({"levels": call.recorder.levels()})
            await asyncio.sleep(1 / FPS)

    async def watch_the_models(self) -> None:
        """Say which models of the embedded gateway still load."""
        while loading := await asyncio.to_thread(backend.loading):
            self._picture.state = f"loading {', '.join(loading)} …"
            self._draw()
            await asyncio.sleep(0.5)  # a gateway that loads gives no event

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """A device that refuses is told of, and no reason to end anything."""
        try:
            await work
        except CookError as error:
            self._picture.take("note", f"{error.what}: {error.remedy}")
        self._draw()
