"""Which functions an expression may call: CEL's own, those of the language, and two that only rewriting writes."""

from typing import Final

from services.rules.language import kinds
from services.rules.language.tokens import MACROS

ABSENT_FUNCTION: Final = {
    kinds.NUMBER: "absent_number",
    kinds.TEXT: "absent_text",
    kinds.FLAG: "absent_flag",
}
"""Stands where an element's field is absent: it fails and says which."""
DIVISOR_FUNCTION: Final = "divisor"
"""Stands around what is divided by: it fails on zero."""
FUNCTIONS: Final = (
    *kinds.FUNCTIONS, "has", "size", "int", "double", "string", "bool", "duration", "timestamp", "matches",
)  # fmt: skip
METHODS: Final = (
    *sorted(MACROS), "size", "contains", "startsWith", "endsWith", "matches", "getDate", "getDayOfMonth",
    "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth",
    "getSeconds",
)  # fmt: skip
COUNTS: Final = frozenset(name for name in METHODS if name == "size" or name.startswith("get"))
"""The methods that give CEL's whole numbers."""
