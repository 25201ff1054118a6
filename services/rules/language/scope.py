"""The names that a rule's expressions see, growing fact by fact, and where the faults inside expressions lie."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.rules.language import kinds
from services.rules.language.documents import Place
from services.rules.language.expressions import CompiledExpression, ExpressionError, compile_expression
from services.rules.language.faults import Fault
from services.rules.language.messages import CompiledTemplate, compile_template


@dataclass(slots=True)
class Scope:
    """What is visible so far, with its kind. `broken` names have a fault of their own already.

    What reads a broken name is not compiled: it could only repeat that fault in other words.
    """

    names: dict[str, str]
    params: Mapping[str, str]
    faults: list[Fault]
    broken: set[str] = field(default_factory=set)

    def expression(
        self, place: Place, source: str | None, expect: str | None = None
    ) -> CompiledExpression | None:
        """Compile the expression at `place`; None when it is broken."""
        if source is None or self._reads_broken(source):
            return None
        try:
            return compile_expression(source, self.names, self.params, expect)
        except ExpressionError as error:
            self._say(place, error)
        return None

    def template(self, place: Place, source: str | None) -> CompiledTemplate | None:
        """Compile the title or message at `place`; None when it is broken."""
        if source is None or self._reads_broken(source):
            return None
        try:
            return compile_template(source, self.names, self.params)
        except ExpressionError as error:
            self._say(place, error)
        return None

    def _reads_broken(self, source: str) -> bool:
        return not self.broken.isdisjoint(re.findall(r"\w+", source))

    def _say(self, place: Place, error: ExpressionError) -> None:
        for fault in error.faults:
            self.faults.append(place.fault(" ".join(fault.message.split()), fault.hint, offset=fault.offset))


def first_scope(anchor: str | None, params: Mapping[str, str], faults: list[Fault]) -> Scope:
    """Return the scope of a rule's first fact. A rule without a right anchor has none of that name."""
    names = {
        "athlete": "athlete",
        "params": "params",
        "now": kinds.TIME,
        "day": "day",
        "week": "week",
    }
    if anchor is None:
        return Scope(names, params, faults, {"anchor"})
    return Scope({"anchor": anchor, **names}, params, faults)
