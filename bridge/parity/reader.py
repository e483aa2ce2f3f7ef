"""What a message says, as far as finding its twin needs it: type, entity, id, key and features.

Decides the key: an id that both sides give; else type, entity and version; else the digest of
what is stable in it. Genuine repeats share a key and are told apart by their occurrence.
"""

from __future__ import annotations

from bridge.parity.canonical import Value, canonical, digest, parse, text
from bridge.parity.envelope import EnvelopeRules, Form, Message, unwrap
from bridge.parity.finding import Kind
from bridge.parity.ids import Ids, first
from bridge.parity.item import Item, State
from bridge.parity.observation import Side
from bridge.parity.options import CompareOptions
from bridge.parity.rules import Pattern, Rules, member
from bridge.parity.volatile import Volatile
from bridge.parity.walk import Difference, differences, leaves

_SCALARS = (str, int, float)


class Reader:
    """Reads messages, each at most once.

    Args:
        options: what names an entity, a version, an id, and which rules hold.
        envelope: how messages are wrapped.
        volatile: what keys leave out.
    """

    def __init__(
        self, options: CompareOptions, envelope: EnvelopeRules, volatile: Volatile
    ) -> None:
        self.rules = Rules(options.ignore, options.normalise)
        self._options, self._envelope, self.volatile = options, envelope, volatile
        self._identity = tuple(map(Pattern.parse, options.identity))
        self.ids = Ids(options.entity, self.rules, volatile)
        self._homes: dict[str, Form] = {}

    def message(self, item: Item) -> Message:
        """The message, unwrapped."""
        found = item.message
        if found is None:
            found = item.message = unwrap(item.seen, parse(item.seen.data), self._envelope)
            if item.seen.side is Side.LEGACY:
                self._homes[found.type] = found.form
        return found

    def digest(self, item: Item) -> bytes:
        """Sixteen bytes that are equal for messages that say the same in all that is stable."""
        if item.digest is None:
            message = self.message(item)
            view = told(message, self._homes.get(message.type, message.form))
            stable = self.volatile.reduced(message.type, self.rules.reduced(message.type, view))
            item.digest = digest([message.type, stable] if isinstance(view, dict) else view)
        return item.digest

    def entity(self, item: Item) -> tuple[str, str]:
        """Type and id of what a message is about; the id is empty where it names none."""
        if item.entity is None:
            was_read = item.message is not None
            message = self.message(item)
            item.entity = message.type, self.ids.of(message)
            if item.state is State.PAIRED and not was_read:
                # Its order is all that is still asked about it.
                item.put_away()
        return item.entity

    def version(self, item: Item) -> str:
        """Which state of its entity a message tells; empty where it does not say."""
        return first(self.message(item).body, self._options.version)

    def identity(self, item: Item, *, wire: bool = True) -> str:
        """The id that the backend gave a message, by the paths of the options or on the wire."""
        value = self.message(item).value
        for pattern in self._identity:
            found: list[Value] = []
            pattern.changed(value, found.append)
            if found and isinstance(found[0], _SCALARS):
                return text(found[0])
        return item.seen.id if wire else ""

    def features(self, item: Item) -> frozenset[tuple[str, str]]:
        """Every leaf with its place, to tell how much two messages have in common."""
        if item.features is None:
            message = self.message(item)
            view = told(message, self._homes.get(message.type, message.form))
            found = {(path, _short(value)) for path, value in leaves(view)}
            item.features = frozenset(found)
        return item.features

    def differences(self, legacy: Item, candidate: Item) -> list[Difference]:
        """Where two messages differ; empty where they differ in their spelling alone."""
        left, right = self.message(legacy), self.message(candidate)
        if left.form == right.form:
            return differences(left.value, right.value)
        found = differences(left.value, told(right, left.form))
        return [*found, *self._wrapping(left.form, right.form)]

    def _wrapping(self, left: Form, right: Form) -> list[Difference]:
        stands_for = self._envelope.named and right.event != left.event
        if stands_for and not right.type_member:
            return []
        return [Difference(Kind.ENVELOPE, "$", str(left), str(right))]

    def met(self, left: Item, right: Item, times: int = 1) -> None:
        """Twins were found, by their text or by what is stable in them."""
        message = self.message(left)
        alike = left.seen.data == right.seen.data
        self.ids.twins(message, message if alike else self.message(right))
        self.volatile.met(message.type, times)

    def apart(self, left: Item, right: Item) -> bool:
        """Whether two messages are about different things by the ids that they give them."""
        return self.ids.apart(self.message(left), self.message(right))


def told(message: Message, form: Form) -> Value:
    """The payload as another form would tell the same message."""
    if message.form == form:
        return message.value
    kind = {form.type_member: message.type} if form.type_member else {}
    if form.body_member:
        return {**kind, form.body_member: message.body, **message.rest}
    body = message.body
    return {**kind, **body, **message.rest} if isinstance(body, dict) else body


def place_of_type(form: Form) -> str:
    """The path of the member that names the type."""
    return member("$", form.type_member) if form.type_member else "$"


def _short(value: Value) -> str:
    return value if isinstance(value, str) else canonical(value).decode("utf-8", "replace")
