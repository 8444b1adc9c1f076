from lkcook.audio.caller import Caller
from lkcook.audio.listener import RecordedListener
class BrowserMicrophone(Caller):
    person = True
class BrowserSpeaker(RecordedListener): ...
def browser_sound(widget):
    return BrowserMicrophone("browser"), BrowserSpeaker()
