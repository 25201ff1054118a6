"""The parts that a condition is made of: what stands between its `&&` and `||`, each a condition of its own."""

from services.rules.language.tokens import CLOSING, OPENING, Tokens


def conjuncts(source: str) -> tuple[str, ...]:
    """Return the parts of a checked condition in their order, each once; what cannot be split is one part.

    Brackets around several parts are opened. What stands under a `!`, in a call or in `a ? b : c` is one part.
    """
    return tuple(dict.fromkeys(_parts(source.strip())))


def _parts(source: str) -> list[str]:
    tokens = Tokens(source)
    if tokens.text(0) == "(" and tokens.match(0) == len(tokens) - 1:
        return _parts(source[1 : tokens[len(tokens) - 1].offset].strip())
    pieces, begin, depth = [], 0, 0
    for token in tokens:
        if token.kind != "sign":
            continue
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if depth == 0 and token.text == "?":
            return [source]
        if depth == 0 and token.text in {"&&", "||"}:
            pieces.append(source[begin : token.offset].strip())
            begin = token.offset + len(token.text)
    if not pieces:
        return [source]
    return [part for piece in (*pieces, source[begin:].strip()) for part in _parts(piece)]
