"""What can keep a browser from hearing and sounding, in words for whoever reads the notebook."""

from __future__ import annotations

from lkcook.errors import DeviceError

_FAILED = {
    "NotAllowedError": (
        "The browser was not allowed to use the microphone",
        "click the icon left of the page's address, set Microphone to Allow, and run the cell again; if there is no "
        "such entry, allow the browser itself to use the microphone in the system's privacy settings",
    ),
    "NotFoundError": (
        "The browser found no microphone on your computer",
        "plug one in or switch it on and run the cell again; scripted and recorded callers need none",
    ),
    "NotReadableError": (
        "The browser could not open the microphone: another program holds it, or the system refused",
        "close what uses it (a meeting in another tab?) and run the cell again",
    ),
}
_INSECURE = (
    "This page may not use the microphone: browsers allow that only on https:// and on http://localhost",
    "open JupyterLab over https, or lead it to your own computer (ssh -L 8888:localhost:8888 the-server) and open "
    "http://localhost:8888",
)


def failed(side: str, error: str, message: str) -> DeviceError:
    """`error`: the name of the DOMException that the browser raised while it opened `side`."""
    what, remedy = _FAILED.get(
        error,
        (
            f"The browser could not open the {side}: {error}: {message}",
            "try another browser, such as a recent Chrome, Edge, Firefox or Safari",
        ),
    )
    return DeviceError(what, remedy)


def insecure(origin: str) -> DeviceError:
    """A page from which the browser hands out no microphone."""
    what, remedy = _INSECURE
    return DeviceError(f"{what} (this is {origin})", remedy)


def absent(seconds: float) -> DeviceError:
    """Nobody answered: no page shows the widget, or its script does not run there."""
    return DeviceError(
        f"The browser did not answer within {seconds:g} s",
        "keep the notebook's page open with the widget shown in it, run its cell again, and then call",
    )


def unopened(side: str, seconds: float, blocked: bool) -> DeviceError:
    """The page is there, but the reader has not let it go on."""
    if blocked:
        return DeviceError(
            f"The browser held the sound back for {seconds:g} s",
            "it waits for you: run the cell again and click anywhere in the page",
        )
    return DeviceError(
        f"The browser did not open the {side} within {seconds:g} s",
        "run the cell again and answer the browser's question for permission, near the page's address",
    )


def lost(why: str) -> DeviceError:
    """In mid-call."""
    return DeviceError(
        f"The browser's microphone was lost: {why}",
        "keep the page open while you call, and call again; what was said until then is kept",
    )
