"""What every body of a request or an answer has in common: the bases, and the shape of errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SOME_TIME = "2026-01-01T12:00:00Z"


def eg(example: Any, **limits: Any) -> Any:
    """A required field with an example and limits."""
    return Field(examples=[example], **limits)


class Sent(BaseModel):
    """Base of what clients send: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """Base of what they get; can be made from the attributes of a domain object."""

    model_config = ConfigDict(from_attributes=True)


class ErrorBody(Answer):
    """What went wrong, for programs (`code`) and for people."""

    code: str = eg("not_found")
    message: str = eg("There is no channel 'x'.")
    hint: str = eg("List the channels.")
    fields: dict[str, str] = eg({"name": "Field required."})


class ErrorOut(Answer):
    """The shape of every error."""

    error: ErrorBody


class MessageOut(Answer):
    """A sentence."""

    message: str = eg("Done.")
