"""Which calls are put around parts of an expression: `double(...)` around counts, and the check of a divisor."""

from services.rules.language.functions import COUNTS, DIVISOR_FUNCTION
from services.rules.language.tokens import Tokens


class Calls:
    """What is written before and after each token, by its position."""

    def __init__(self, tokens: Tokens) -> None:
        self._before: dict[int, str] = {}
        self._after: dict[int, str] = {}
        self._count(tokens)
        self._divide(tokens)

    def before(self, at: int) -> str:
        """Return the calls that open before the token at `at`."""
        return self._before.get(at, "")

    def after(self, at: int) -> str:
        """Return the brackets that close after the token at `at`."""
        return self._after.get(at, "")

    def _count(self, tokens: Tokens) -> None:
        """Whatever gives an int (`size(x)`, `x.size()`, `t.getHours()`, `int(x)`) is made a double."""
        for at, token in enumerate(tokens):
            if tokens.text(at + 1) != "(" or token.kind != "name":
                continue
            if tokens.text(at - 1) == ".":
                begin = tokens.operand_begin(at - 2) if token.text in COUNTS else None
            else:
                begin = at if token.text in {"size", "int"} else None
            self._wrap("double", begin, tokens.match(at + 1))

    def _divide(self, tokens: Tokens) -> None:
        """CEL's doubles divide by zero to infinity, which compares; here it is an error."""
        for at, token in enumerate(tokens):
            constant = tokens.kind(at + 1) == "number" and tokens.text(at + 1).strip("0.") != ""
            if token.text == "/" and token.kind == "sign" and not constant:
                self._wrap(DIVISOR_FUNCTION, at + 1, tokens.operand_end(at + 1))

    def _wrap(self, function: str, begin: int | None, end: int | None) -> None:
        if begin is not None and end is not None:
            self._before[begin] = f"{function}({self._before.get(begin, '')}"
            self._after[end] = f"{self._after.get(end, '')})"
