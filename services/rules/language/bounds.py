"""Whether an expression stays within its bounds: its length, its brackets and quotes, how deep it nests."""

from typing import Final

from services.rules.language.rewritten import ExpressionFault
from services.rules.language.tokens import CLOSING, MACROS, OPENING, Token, Tokens

MOST_CHARACTERS: Final = 2_000
DEEPEST: Final = 32
DEEPEST_COMPREHENSION: Final = 2
SPLIT: Final = "give parts of it names, as facts above it"
"""The way out of every bound."""


def too_long(source: str) -> list[ExpressionFault]:
    """Return a fault when the source has too many characters."""
    if len(source) <= MOST_CHARACTERS:
        return []
    told = f"the expression has {len(source):,} characters; at most {MOST_CHARACTERS:,} are allowed"
    return [ExpressionFault(MOST_CHARACTERS, told, SPLIT)]


def brackets(tokens: Tokens) -> list[ExpressionFault]:
    """Return the first fault of brackets and quotes: open, closed twice, or nested too deep."""
    stack: list[tuple[Token, bool]] = []
    for at, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.text in {'"', "'"}:
            told = f"the text that {token.text} opens is never closed"
            return [ExpressionFault(token.offset, told, f"add a {token.text} on the same line")]
        if token.text in OPENING:
            stack.append((token, token.text == "(" and tokens.text(at - 1) in MACROS))
            if len(stack) > DEEPEST:
                return [ExpressionFault(token.offset, f"brackets nest deeper than {DEEPEST}", SPLIT)]
            if sum(macro for _, macro in stack) > DEEPEST_COMPREHENSION:
                told = f"list functions nest deeper than {DEEPEST_COMPREHENSION}"
                return [ExpressionFault(token.offset, told, SPLIT)]
        elif token.text in CLOSING:
            if not stack or OPENING[stack[-1][0].text] != token.text:
                wanted = f"close {stack[-1][0].text} first" if stack else "leave it out"
                return [ExpressionFault(token.offset, f"{token.text!r} closes nothing", wanted)]
            stack.pop()
    if stack:
        opened = stack[-1][0]
        told = f"{opened.text!r} is never closed"
        return [ExpressionFault(opened.offset, told, f"add {OPENING[opened.text]}")]
    return []
