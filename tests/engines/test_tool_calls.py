"""Tool calls out of what small models really write, and out of what they could write at their worst."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lkcook.engines.tool_calls import ToolCall, looks_like_a_call, parse, repeats, schema_of


def tool(name: str, *required: str) -> dict[str, Any]:
    properties = {argument: {"type": "string"} for argument in required}
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


HOURS: dict[str, Any] = {"type": "function", "function": {"name": "hours"}}
TOOLS = [tool("book", "people"), tool("cancel", "people", "day"), HOURS]
BOOK = '{"name": "book", "arguments": {"people": 4}}'


def read(text: str) -> list[tuple[str, Any]] | None:
    calls = parse(text, TOOLS)
    return None if calls is None else [(call.name, json.loads(call.arguments)) for call in calls]


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        f" \n{BOOK}\n ",
        f"{{{BOOK}}}",
        f"{{{BOOK}",
        f"{BOOK}}}",
        f"{{{{{BOOK}}}}}",
        f"```json\n{BOOK}\n```",
        f"```\n{BOOK}\n```",
        f"```json\n{{{BOOK}}}\n```",
        f"```json\n{BOOK}",
        f"<tool_call>\n{BOOK}\n</tool_call>",
        f"<tool_call>{BOOK}",
        f"<tool_call>\n{{{BOOK}}}\n</tool_call>",
        f"<function_call>{BOOK}</function_call>",
        f"[{BOOK}]",
        f"Let me see.\n{BOOK}\nOne moment, please.",
        f"I use {{curly}} braces: {BOOK} {{or}} }} not {{",
        BOOK.replace("arguments", "parameters"),
        json.dumps({"arguments": {"people": 4}, "name": "book", "type": "function"}, indent=4),
    ],
)
def test_a_call_is_read_whatever_stands_around_it(text: str) -> None:
    assert read(text) == [("book", {"people": 4})]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    (call,) = parse('{"name": "hours"}', TOOLS) or []
    assert (call.name, call.arguments) == ("hours", "{}")


@pytest.mark.parametrize("between", ["\n", ", ", "", "\n</tool_call>\n<tool_call>\n", "\n```\n```json\n"])
def test_several_calls_are_read_in_their_order(between: str) -> None:
    assert read(f'{BOOK}{between}{{"name": "hours"}}{between}{BOOK}') == [
        ("book", {"people": 4}),
        ("hours", {}),
        ("book", {"people": 4}),
    ]


def test_every_call_has_an_id_of_its_own() -> None:
    first, second = parse(f"[{BOOK}, {BOOK}]", TOOLS) or []
    assert first.id != second.id and first.id.startswith("call_")


@pytest.mark.parametrize(
    "arguments",
    [
        {"people": "}{ {{ }} {"},
        {"people": '"}} \\" {"'},
        {"people": '{"name": "cancel", "arguments": {}}'},
        {"people": {"name": "hours", "arguments": {}}},
        {"people": [{"deep": {"deeper": [{"name": "hours"}]}}, {}]},
        {"people": "```json <tool_call>"},
        {"people": "vier Gäste, 四位 🍕"},
        {"people": None, "more": True},
    ],
)
def test_what_is_inside_the_arguments_is_data(arguments: dict[str, Any]) -> None:
    written = json.dumps({"name": "book", "arguments": arguments}, ensure_ascii=False)
    assert read(written) == read(f"{{{written}}}") == read(f"```json\n{written}\n```") == [("book", arguments)]


def test_a_line_break_inside_a_string_is_forgiven() -> None:
    assert read('{"name": "book", "arguments": {"people": "two\nor\tthree"}}') == [("book", {"people": "two\nor\tthree"})]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "order_a_taxi", "arguments": {}}',
        '{"name": "Book", "arguments": {"people": 4}}',
        '{"name": "", "arguments": {}}',
        '{"name": null}',
        '{"name": 3, "arguments": {}}',
        '{"name": ["book"], "arguments": {"people": 4}}',
        '{"name": {"name": "book"}, "arguments": {"people": 4}}',
        '{"name": "book"}',
        '{"name": "book", "arguments": {}}',
        '{"name": "book", "arguments": {"guests": 4}}',
        '{"name": "cancel", "arguments": {"people": "Bob"}}',
        '{"name": "book", "arguments": [4]}',
        '{"name": "book", "arguments": "four"}',
        '{"name": "book", "arguments": null}',
        '{"name": "hours", "arguments": 3}',
        f'{BOOK} {{"name": "cancel", "arguments": {{}}}}',
    ],
)
def test_a_call_that_fits_no_tool_is_no_call_but_was_meant_as_one(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "book", "arguments": {"people": 4}',
        '{"name": "book", "arguments": {"people": ',
        '```json\n{"name": "book", "arguments": {"people": 4,}}\n```',
        "<tool_call>\n{'name': 'book', 'arguments': {'people': 4}}\n</tool_call>",
        '[{{"name" : "book"',
    ],
)
def test_a_call_that_breaks_off_or_is_no_json_is_not_taken_for_words(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "Your table is booked.",
        "{",
        "{}",
        "[1, 2]",
        "[laughs] Of course!",
        "{smiles} Of course!",
        "```python\nprint({})\n```",
        '{"people": 4}',
        '{"note": {"name": "book", "arguments": {"people": 4}}}',
        "<b>book</b>",
        "<tool_call>",
        'The "name": it is on the door.',
        "{" * 2000,
        '{"a":' * 5000,
        '{"a": ' + "[" * 100_000,
    ],
)
def test_what_only_looks_like_a_call_is_words(text: str) -> None:
    assert read(text) is None


def test_without_tools_nothing_can_be_called() -> None:
    assert parse(BOOK, []) == []
    assert parse("Hello.", []) is None


def test_a_call_is_recognised_at_every_one_of_its_beginnings() -> None:
    for call in (BOOK, f"{{{BOOK}}}", f"```json\n{BOOK}", f"\n <tool_call>{BOOK}", f"<function_call>{BOOK}", f"[{BOOK}]"):
        assert all(looks_like_a_call(call[:end]) for end in range(len(call) + 1)), call


@pytest.mark.parametrize("text", ["Hello", " Y", "`code`", "``x", "(", '"{"', "1"])
def test_words_are_recognised_as_soon_as_they_can_be(text: str) -> None:
    assert not looks_like_a_call(text)


@pytest.mark.parametrize("text", ["<b>", "<tool", "<tool_response>\nBooked."])
def test_markup_is_held_back_since_nobody_would_say_it(text: str) -> None:
    assert looks_like_a_call(text)


def test_a_call_written_as_code_is_read_too() -> None:
    assert read('```\nbook({"people": 4})\n```') == [("book", {"people": 4})]
    assert read("I can book (a table, that is).") is None


def asked(*calls: tuple[str, str]) -> dict[str, Any]:
    wire = [{"id": "c", "type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]
    return {"role": "assistant", "content": "", "tool_calls": wire}


USER, ANSWER = {"role": "user", "content": "Book it."}, {"role": "tool", "tool_call_id": "c", "content": "done"}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([USER], False),
        ([USER, asked(("book", '{"people":4}')), ANSWER], True),
        ([USER, asked(("book", '{"people": 5}')), ANSWER], False),
        ([USER, asked(("hours", '{"people": 4}')), ANSWER], False),
        ([USER, asked(("book", '{"people": 4}')), ANSWER, USER], False),
        ([USER, asked(("hours", ""), ("book", '{"people": 4}')), ANSWER, ANSWER], True),
        ([USER, asked(("book", '{"people": 4}')), ANSWER, asked(("hours", "{}")), ANSWER], True),
        ([USER, {"role": "assistant", "content": "Well.", "tool_calls": None}], False),
        ([], False),
    ],
)
def test_a_call_repeats_one_made_since_the_user_last_spoke(history: list[dict[str, Any]], expected: bool) -> None:
    assert repeats([ToolCall("book", '{"people": 4}')], history) is expected


def test_one_new_call_among_old_ones_is_no_repetition() -> None:
    history = [USER, asked(("book", '{"day": 1, "people": 4}')), ANSWER]
    again = ToolCall("book", '{"people": 4, "day": 1}')
    assert repeats([again], history)
    assert not repeats([again, ToolCall("hours", "{}")], history)


def names(schema: dict[str, Any] | None) -> list[str]:
    return [option["properties"]["name"]["const"] for option in schema["anyOf"]] if schema else []


def test_the_schema_forces_any_tool_the_named_one_or_none() -> None:
    assert names(schema_of(TOOLS, "required")) == ["book", "cancel", "hours"]
    assert names(schema_of(TOOLS, {"type": "function", "function": {"name": "cancel"}})) == ["cancel"]
    for free in ("auto", "none", None, {"type": "function", "function": {"name": "order_a_taxi"}}):
        assert schema_of(TOOLS, free) is None
    assert schema_of([], "required") is None


def test_the_schema_asks_for_the_tools_own_arguments_and_nothing_else() -> None:
    (option,) = (schema_of(TOOLS[:1], "required") or {})["anyOf"]
    assert option["properties"]["arguments"] == TOOLS[0]["function"]["parameters"]
    assert option["required"] == ["name", "arguments"] and option["additionalProperties"] is False
    (option,) = (schema_of([HOURS], "required") or {})["anyOf"]
    assert option["properties"]["arguments"] == {"type": "object"}


def test_what_arguments_refer_to_is_found_at_the_root_and_does_not_clash() -> None:
    tools = [tool("order_pizza", "size"), tool("order_wine", "size"), tool("book", "people")]
    for each, sizes in zip(tools, (["small", "large"], ["glass", "bottle"])):
        parameters = each["function"]["parameters"]
        parameters["properties"]["size"] = {"$ref": "#/$defs/Size"}
        parameters["$defs"] = {"Size": {"enum": sizes}}
    before = json.dumps(tools)

    schema = schema_of(tools, "required") or {}
    for option, sizes in zip(schema["anyOf"], (["small", "large"], ["glass", "bottle"])):
        path = option["properties"]["arguments"]["properties"]["size"]["$ref"].split("/")
        assert path[:2] == ["#", "$defs"] and schema["$defs"][path[2]] == {"enum": sizes}
    assert json.dumps(tools) == before, "the caller's own tools stay as they are"
    assert "$defs" not in (schema_of(tools[2:], "required") or {})
