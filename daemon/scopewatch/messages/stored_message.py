"""Messages as the outbox stores them: plain JSON values beside the idempotency key."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from scopewatch.messages.message import Message

_MESSAGE: Final = TypeAdapter(Message)


def pack_message(message: Message) -> dict[str, Any]:
    """Return a message as JSON values, without its key, which is stored by itself."""
    packed: dict[str, Any] = _MESSAGE.dump_python(message, mode="json", exclude_defaults=True)
    del packed["idempotency_key"]
    return packed


def unpack_message(packed: Mapping[str, Any], key: str) -> Message:
    """Return the message that `pack_message` packed, of this build or of an earlier one."""
    return _MESSAGE.validate_python({**packed, "idempotency_key": key})
