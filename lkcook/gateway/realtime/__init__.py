"""Speech-to-speech conversations: one state machine, and a thin dialect over it for each provider's protocol.

A dialect makes a `conversation.Conversation`, calls its methods for what the client sends, and turns the plain events
of `events` into its own messages. Nothing in the state machine knows JSON. For whoever writes another dialect:

    conversation = Conversation(models, "google/gemini-live", tell, Settings(voice="Puck"))
    await conversation.open()                       waits for the engines; ProtocolError when one cannot be loaded
    conversation.configure(settings)                a new `settings.Settings` (dataclasses.replace); Rejected if bad
    await conversation.hear(samples, rate)          int16 mono at any rate; it finds turns by itself, if it shall
    conversation.commit() / clear()                 turns found by the client (Settings.turns is None)
    conversation.interrupt()                        the client says that the caller speaks over the answer
    conversation.add(item, after=None)              an `items.Message`, `Call` or `CallOutput`; also find, delete
    conversation.respond(Ask(...))                  answer now; say(text) speaks a given text instead
    conversation.cancel()                           stop the answer under way; its ResponseDone says "cancelled"
    conversation.truncate(item_id, seconds)         the caller heard only so much of it
    conversation.playing                            seconds of sound the client cannot have played yet
    await conversation.aclose()                     no task is left behind

`tell(event)` is called in the order things happen, at once and without being awaited: put it into a queue and let one
task send. Every event that belongs to an answer carries its `response.Response`. Times are seconds, sound is int16 mono
at 24 kHz. What a client must not do raises `rejected.Rejected`, which names the reason and changes nothing.

Settings.truncates: a provider whose clients do not report what was heard (Gemini) lets the conversation estimate it
from the clock when it is interrupted. A function call's answer: add(CallOutput(...)), then respond().
"""
