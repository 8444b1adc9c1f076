"""Language models over HTTP: one core, and a thin dialect over it for each provider's protocol.

    core          the core: what is asked of the engine, and a reply as it comes, streamed or whole
    bodies        a body is read, or refused in the client's words
    messages      a conversation in the engine's shape, put together from what protocols call blocks or items
    fields        sampling, tools and text, each read and checked
    completions   OpenAI's chat completions, LiveKit Inference's, Groq's… POST /v1/chat/completions
    anthropic     Anthropic's Messages                                   POST /v1/messages, /v1/messages/count_tokens
    bedrock       Amazon Bedrock's Converse                              POST /model/{id}/converse-stream, /converse
    responses     OpenAI's Responses, also over a WebSocket              /v1/responses
    conversations Mistral's                                              POST /mistral/v1/conversations
    gemini        Google's generateContent                               POST /v1/models/{id}:generateContent, …
    ollama        Ollama's own API                                       /api/chat, /api/generate, /api/tags, …
    listing       which models there are                                 GET /v1/models, /v1/models/{id}
    ids           which of them a client may ask for

A dialect reads its body into a `completion.Request`, and writes the engine's `Text`, `ToolCall` and `Done` as its own
events. Whatever is wrong with a body raises `ProtocolError`, which `refusals` words as that client reads it.
"""
