"""An agent with a function, and what makes the model call it."""

from __future__ import annotations

from livekit.agents import Agent, RunContext, function_tool

BOOK = "Please book a table for four people."


class Booking(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You book tables.")
        self.booked: list[int] = []

    @function_tool
    async def book_table(self, context: RunContext, people: int) -> str:
        """Book a table."""
        self.booked.append(people)
        return "It is booked."
