"""A person at a browser: the microphone and the speaker of the computer that shows the notebook.

For kernels without sound devices (JupyterHub, Codespaces, containers):
    widget = SoundWidget(); display(widget)          # lkcook.audio.browser_widget, or a control panel
    microphone, speaker = browser_sound(widget)
    call = await lkcook.talk(session, agent, caller=microphone, listener=speaker)
The browser cancels echo itself, and noise unless a canceller was chosen before the microphone opened.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque

import numpy as np

from lkcook.audio import browser_failures as failures, frames
from lkcook.audio.browser_link import BUFFER, BrowserLink
from lkcook.audio.browser_page import Widget
from lkcook.audio.listener import FRAME, RATE, Listener
from lkcook.audio.person import Person
from lkcook.audio.playout import Block
from lkcook.errors import DeviceError

BLOCK = int(RATE * FRAME)  # 480 samples, 20 ms
_HEADER = struct.Struct("<dI")  # Date.now() at the frame's last sample, number of the frame
_FRAME_BYTES = _HEADER.size + 2 * BLOCK
_FIRST_FRAME = 8.0  # seconds
_NEXT_FRAME = 3.0


def browser_sound(widget: Widget | BrowserLink) -> tuple[BrowserMicrophone, BrowserSpeaker]:
    """Both sides in the page that shows `widget`."""
    link = widget if isinstance(widget, BrowserLink) else BrowserLink(widget)
    return BrowserMicrophone(link), BrowserSpeaker(link)


class BrowserMicrophone(Person):
    """Opened by `prepare()`, which asks the reader for permission; frames of 20 ms, 24 kHz mono.

    lost: frames that did not arrive. delays: for every frame the ms from
    its last sample to the kernel, by the clocks of both computers.
    """

    def __init__(self, link: BrowserLink) -> None:
        super().__init__("browser microphone")
        self.link = link
        self.suppresses_noise = True
        self.lost = 0
        self.delays: list[float] = []
        self._frames: asyncio.Queue[tuple[np.ndarray, float] | None] = asyncio.Queue()
        self._next = 0
        self._heard_one = self._opened = False
        self._failed: asyncio.Future[None] | None = None

    async def prepare(self) -> None:
        """Raises DeviceError where the page, the microphone or the permission is missing."""
        if self._opened:
            return
        self._hung_up.clear()
        self._failed = asyncio.get_running_loop().create_future()
        self._frames, self._next, self._heard_one = asyncio.Queue(), 0, False
        self.lost, self.delays = 0, []
        self.link.on_frame, self.link.on_lost = self._arrived, self._lose
        self.link.suppresses_noise = self.suppresses_noise = self.slot.processor is None
        try:
            await self.link.open("microphone")
        except BaseException:
            self.link.on_frame = self.link.on_lost = None
            raise
        self._opened = True

    async def aclose(self) -> None:
        await super().aclose()
        self._frames.put_nowait(None)
        if self._opened:
            self._opened = False
            self.link.on_frame = self.link.on_lost = None
            await self.link.close("microphone")

    async def _next_block(self) -> frames.Block:
        try:
            async with asyncio.timeout(_NEXT_FRAME if self._heard_one else _FIRST_FRAME):
                frame = await self._frames.get()
        except TimeoutError:
            self._lose(failures.lost("it delivers no sound any more, the page may be closed or asleep"))
            frame = None
        if frame is None:
            raise StopAsyncIteration
        self._heard_one = True
        samples, at = frame
        return samples, RATE, at

    async def _until_lost(self) -> None:
        assert self._failed is not None
        await asyncio.shield(self._failed)

    def _lose(self, error: DeviceError) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
            self._failed.exception()  # seen, also when the call ends for another reason and nobody awaits it

    def _arrived(self, frame: bytes, at: float) -> None:
        """A frame as browser.js packs it, at time.time()."""
        if len(frame) != _FRAME_BYTES:
            self.lost += 1
            return
        captured, number = _HEADER.unpack_from(frame)
        self.lost += number - self._next if self.delays else 0
        self._next = number + 1
        self.delays.append(1000 * at - captured)
        # The browser's own clock, set by its quickest frame: one that was late on its way was not spoken later.
        spoken = (captured + min(self.delays)) / 1000 - FRAME
        self._frames.put_nowait((np.frombuffer(frame, np.int16, offset=_HEADER.size), spoken))


class BrowserSpeaker(Listener):
    """Opened by `start()`. Blocks are sent 20 ms at a time, and told of when they sound in the page.

    They sound after the page's buffer (BUFFER) and the browser's own latency. underruns: how often the page ran dry
    inside an utterance. What was sent and is interrupted before it sounds does not count as played.
    """

    def __init__(self, link: BrowserLink) -> None:
        super().__init__("browser speaker")
        self.link = link
        self._clock: asyncio.Task[None] | None = None
        self._sounding = False
        self._sent: deque[tuple[Block, float]] = deque()  # and when it sounds, time.time()
        self._position = 0  # samples heard of the utterance that is not finished

    @property
    def underruns(self) -> int:
        """In this call, or the last one."""
        return self.link.underruns

    async def start(self) -> None:
        """Raises DeviceError when no page answers."""
        if self._clock is None:
            await self.link.open("speaker")
            self._clock = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        clock, self._clock = self._clock, None
        if clock is not None:
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)
        await super().aclose()
        if clock is not None:
            await self.link.close("speaker")

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            late = time.monotonic() - due
            if late > BUFFER or (late > 0 and not self._sounding):
                due += late  # the page has run dry, or has nothing to go on with: from now on, in real time
            self._tell()
            self._send(self._playout.read(BLOCK), time.time() + due - time.monotonic())
            due += FRAME  # a short stall is caught up with, so that the page's buffer stays as full as it was
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _send(self, block: Block, due: float) -> None:
        if block.heard:
            self.link.play(block.samples[: block.heard].tobytes())
        if block.heard < BLOCK and (block.heard or self._sounding):
            self.link.control("end")
        self._sounding = block.heard == BLOCK
        if block.heard or block.events:
            self._sent.append((block, due + BUFFER + self.link.latency))

    def _tell(self) -> None:
        """Report what sounds by now."""
        while self._sent and self._sent[0][1] <= time.time():
            block, at = self._sent.popleft()
            self._heard(block, at)
            self._position = _position_after(block, self._position)

    def _cut(self) -> list[int]:
        self._tell()
        self.link.control("flush")
        cut = [played for block, _ in self._sent for played in block.events if played is not None]
        cut += self._playout.clear()
        heard = [self._position, *[0] * len(cut)][: len(cut)]  # only the first of them can have been heard
        self._sent.clear()
        self._position, self._sounding = 0, False
        return heard


def _position_after(block: Block, position: int) -> int:
    """Samples heard of the unfinished utterance after `block`, when it was `position` before."""
    left = block.heard
    for played in block.events:
        if played is not None:
            left, position = left - (played - position), 0
    return position + left
