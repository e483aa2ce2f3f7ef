"""Where a backend breaks a contract: which message, at which path, what was due and what came.

Decides when two breaches are the same one. `jsonschema_rs` judges each message, since a stream
has many; only one that fails is looked at again by `jsonschema`, which says why for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jsonschema
import jsonschema_rs
import orjson
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for

from bridge.parity.contract import Contract, parsed, type_of
from bridge.parity.observation import Observation, Side, Sight
from bridge.parity.report import Outcome, Report

MOST_BREACHES = 1000
"""Sorts of breach that are kept apart; a backend that breaks everything has few of them."""

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Breach:
    """One sort of breach.

    Attributes:
        side: who broke the contract.
        channel: on which channel the example came.
        message: the message's type.
        path: the JSON path of what is wrong, such as `$.object.tasks[*].id`.
        expected: what was due there, in words.
        found: what came, as JSON text, shortened.
        count: how often.
        first: when first, in seconds of the observations' clock.
        last: when last.
        example: one message that shows it.
    """

    side: Side
    channel: str
    message: str
    path: str
    expected: str
    found: str
    count: int
    first: float
    last: float
    example: Observation

    def __str__(self) -> str:
        times = "once" if self.count == 1 else f"{self.count} times"
        return (
            f"{self.side} breaks the contract of {self.message!r} at {self.path} {times}: "
            f"expected {self.expected}, came {self.found}"
        )


class Checker:
    """Holds messages against a contract.

    Args:
        contract: what was promised.

    Attributes:
        checked: how many messages were looked at.

    Raises:
        ConfigError: a schema is not usable.
    """

    def __init__(self, contract: Contract) -> None:
        self.checked = 0
        self._contract = contract
        self._validators = contract.validators()
        self._breaches: dict[tuple[Side, str, str, str], Breach] = {}

    def take(self, sight: Sight) -> Breach | None:
        """Check one message; turns of the connection break nothing.

        Returns:
            The breach as counted so far, or None where all is well.
        """
        if not isinstance(sight, Observation):
            return None
        self.checked += 1
        found = self._problem(sight)
        return None if found is None else self._counted(sight, *found)

    def breaches(self) -> tuple[Breach, ...]:
        """All that was found, the most frequent first."""
        return tuple(
            sorted(self._breaches.values(), key=lambda each: (-each.count, each.side, each.path))
        )

    def _problem(self, sight: Observation) -> tuple[str, str, str, str] | None:
        """Type, path, what was due and what came; None where the message is as promised."""
        try:
            message = parsed(sight)
        except ValueError:
            return sight.type, "$", "JSON", shown(_text(sight.data))
        kind = type_of(message, sight.type)
        validator = self._validators.get(kind)
        if validator is None:
            known = ", ".join(sorted(self._validators)) or "none at all"
            return kind, "$", f"a type that the contract has ({known})", shown(message)
        if validator.is_valid(message):
            return None
        return (kind, *explain(self._contract.schemas[kind], validator, message))

    def _counted(
        self, sight: Observation, kind: str, path: str, expected: str, found: str
    ) -> Breach:
        key = (sight.side, kind, path, expected)
        known = self._breaches.get(key)
        if known is not None:
            breach = replace(known, count=known.count + 1, last=sight.at)
        else:
            breach = Breach(
                sight.side,
                sight.channel,
                kind,
                path,
                expected,
                found,
                1,
                sight.at,
                sight.at,
                sight,
            )
        if known is not None or len(self._breaches) < MOST_BREACHES:
            self._breaches[key] = breach
        return breach


def explain(
    schema: Any,  # noqa: ANN401 - JSON is anything
    validator: jsonschema_rs.Validator,
    message: Any,  # noqa: ANN401 - as above
) -> tuple[str, str, str]:
    """Why a message is not valid: the path, what was due there, and what came.

    Of several reasons the one that says most. Where the two libraries differ, as on formats that
    only one of them knows, the one that refused explains.
    """
    kind = validator_for(schema, default=jsonschema.Draft202012Validator)
    error = best_match(kind(schema, format_checker=kind.FORMAT_CHECKER).iter_errors(message))
    if error is not None:
        due = _due(str(error.validator), error.validator_value, error.instance, error.message)
        return json_path(error.absolute_path), due, shown(error.instance)
    refusal = next(validator.iter_errors(message))
    due = _due(refusal.kind.name, refusal.kind.value, refusal.instance, refusal.message)
    return json_path(refusal.instance_path), due, shown(refusal.instance)


def _due(keyword: str, value: Any, instance: Any, message: str) -> str:  # noqa: ANN401
    """A keyword in words."""
    match keyword:
        case "type":
            kinds = [value] if isinstance(value, str) else value
            return " or ".join(kinds)
        case "enum":
            return "one of " + ", ".join(_text(each) for each in value)
        case "const":
            return _text(value)
        case "required":
            missing = value if isinstance(value, str) else _missing(value, instance)
            return f"the member {missing!r}"
        case "format":
            return f"the format {value}"
        case "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems":
            return f"{keyword} {value}"
        case "anyOf" | "oneOf":
            return f"what one of its alternatives demands ({keyword})"
        case _:
            return shown(message) if len(message) <= _SHOWN else f"what {keyword!r} demands"


def _missing(names: Iterable[str], instance: Any) -> str:  # noqa: ANN401
    return next(name for name in names if name not in instance)


def json_path(steps: Iterable[str | int]) -> str:
    """Such as `$.object.tasks[*].id`; elements of arrays are not told apart."""
    return "$" + "".join("[*]" if isinstance(step, int) else _step(step) for step in steps)


def _step(name: str) -> str:
    return f".{name}" if name.isidentifier() else f"[{_text(name)}]"


def shown(value: Any) -> str:  # noqa: ANN401
    """A value for people: a text as it is, anything else as JSON, neither at any length."""
    text = value if isinstance(value, str) and len(value) > _SHOWN else _text(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def judged(report: Report, breaches: Sequence[Breach]) -> Report:
    """A report that a contract was held against as well.

    What the candidate breaks fails it. What the legacy side breaks in the same way does not: there
    the contract is wrong, which the notes say.
    """
    if not breaches:
        return report
    excused = {_place(each) for each in breaches if each.side is not Side.CANDIDATE}
    failing = [
        each for each in breaches if each.side is Side.CANDIDATE and _place(each) not in excused
    ]
    notes = (*report.notes, *map(str, breaches))
    if not failing:
        return replace(report, notes=notes)
    reason = str(failing[0]) + (f" (and {len(failing) - 1} more)" if failing[1:] else "")
    if report.verdict.outcome is Outcome.FAIL:
        reason = f"{report.verdict.reason}; {reason}"
    verdict = replace(report.verdict, outcome=Outcome.FAIL, reason=reason)
    return replace(report, verdict=verdict, notes=notes)


def _place(breach: Breach) -> tuple[str, str, str]:
    return breach.message, breach.path, breach.expected
