"""What a fact or a param may be called: a name that hides nothing that expressions and templates know."""

import re
from typing import Final

from services.rules.language import kinds

NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,63}", re.ASCII)
NAME_ALLOWED: Final = (
    "a name is small letters, digits and underscores, begins with no digit, and has at most 64"
)
GIVEN: Final = ("anchor", "athlete", "params", "now", "day", "week")
"""The names that every rule has."""

_CEL_WORDS = (
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
    "let", "loop", "package", "namespace", "return", "var", "void", "while", "has", "all", "exists", "exists_one",
    "map", "filter", "size", "int", "uint", "double", "string", "bool", "bytes", "list", "type", "dyn", "timestamp",
    "duration", "matches", "contains", "math", "strings", "optional", "cel", "google",
)  # fmt: skip
_JINJA_WORDS = (
    "and", "or", "not", "is", "none", "self", "range", "dict", "lipsum", "cycler", "joiner", "caller", "varargs",
    "kwargs",
)  # fmt: skip
TAKEN: Final = frozenset((*GIVEN, *kinds.FUNCTIONS, *_CEL_WORDS, *_JINJA_WORDS))
