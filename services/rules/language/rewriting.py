"""Turns a rule's CEL into the CEL that is compiled: doubles for numbers, one flat variable for each field it reads.

CEL has no notion of a field that is absent, so `lift.start` becomes a variable of its own, bound only when the lift
has a start: reading it unbound is an error that CEL's `&&` and `||` absorb where the other side decides, which is
exactly what the language promises. Every piece remembers where in the source it came from.
"""

import math
import re
from collections.abc import Mapping

from services.rules.language import kinds
from services.rules.language.bounds import brackets, too_long
from services.rules.language.calls import Calls
from services.rules.language.functions import ABSENT_FUNCTION, FUNCTIONS, METHODS
from services.rules.language.rewritten import ExpressionFault, Read, Rewritten, nearest
from services.rules.language.tokens import CLOSING, MACROS, WORDS, Token, Tokens

_INT = re.compile(r"[0-9]+", re.ASCII)
_DOUBLE = re.compile(r"([0-9]+\.[0-9]+|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]+)?", re.ASCII)
_SPAN = re.compile(r"([0-9]+)([smhd])", re.ASCII)
_SHOWN = 64
_LIST_HINT = "such as anchor.sets.exists(s, s.reps > 5)"
_OTHER_LANGUAGES = {
    "and": "write &&", "or": "write ||", "not": "write !", "True": "write true", "False": "write false",
    "None": "test with has(x.y) or x.found", "is": "write ==",
}  # fmt: skip


def rewrite(source: str, names: Mapping[str, str], params: Mapping[str, str]) -> Rewritten:
    """Return the CEL to compile for `source`, with the faults that are plain without compiling it."""
    faults = too_long(source)
    if faults:
        return Rewritten(faults=faults)
    tokens = Tokens(source)
    if not len(tokens):
        return Rewritten(faults=[ExpressionFault(0, "the expression is empty")])
    faults = brackets(tokens)
    return Rewritten(faults=faults) if faults else _Rewriter(tokens, names, params).run()


class _Rewriter:
    def __init__(self, tokens: Tokens, names: Mapping[str, str], params: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._names = names
        self._fields = {**kinds.RECORD_FIELDS, "params": params}
        self._calls = Calls(tokens)
        self._loop_variables: set[str] = set()
        self.out = Rewritten()

    def run(self) -> Rewritten:
        self._find_loop_variables()
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            if at:
                self.out.add(" ", token.offset)
            self.out.add(self._calls.before(at), token.offset)
            taken = 1
            if token.kind == "number":
                self._number(at)
            elif token.kind == "name":
                taken = self._name(at)
            else:
                self.out.add(token.text, token.offset)
            at += taken
            self.out.add(self._calls.after(at - 1), token.offset)
        return self.out

    def _number(self, at: int) -> None:
        token = self._tokens[at]
        whole = _INT.fullmatch(token.text)
        if not whole and not _DOUBLE.fullmatch(token.text):
            span = _SPAN.fullmatch(token.text)
            hint = f'a duration is written duration("{token.text}")' if span else "such as 6 or 6.5"
            self._fault(token, f"{token.text!r} is no number", hint)
        elif not math.isfinite(float(token.text)):
            self._fault(token, "the number is too large", "")
        elif whole and not self._is_index(at):
            self.out.add(f"{token.text}.0", token.offset)
        else:
            self.out.add(token.text, token.offset)

    def _name(self, at: int) -> int:  # noqa: PLR0911 - one line a meaning that a name can have
        """Write what the name at `at` becomes; return how many tokens that took."""
        token = self._tokens[at]
        if token.text in WORDS:
            self.out.add(token.text, token.offset)
            return 1
        called = self._tokens.text(at + 1) == "("
        if self._tokens.text(at - 1) == ".":
            return self._selected(at, called=called)
        if called:
            return self._has(at) if token.text == "has" else self._called(at)
        if token.text in self._loop_variables:
            return self._loop_variable(at)
        kind = self._names.get(token.text)
        if kind is None:
            self._unknown_name(token)
            return self._field_span(at)
        if kind in self._fields:
            return self._record_field(at, kind)
        self.out.add(self.out.variable(Read(token.text, None, kind)), token.offset)
        return 1

    def _selected(self, at: int, *, called: bool) -> int:
        """A name after a dot: a function of the value before it, or a field that no rule above has taken."""
        token = self._tokens[at]
        if called and token.text not in METHODS:
            hint = nearest(token.text, METHODS) or f"functions of a value: {', '.join(METHODS)}"
            self._fault(token, f"unknown function {token.text!r}", hint)
        elif not called and (self._tokens.text(at - 2) in CLOSING or at == 1):
            # The element's field may be absent, and a plain select would read that as zero.
            told = f"{token.text!r} of a list's element is read outside a list function"
            self._fault(token, told, _LIST_HINT)
        else:
            self.out.add(token.text, token.offset)
        return 1

    def _called(self, at: int) -> int:
        token = self._tokens[at]
        if token.text not in FUNCTIONS:
            hint = _OTHER_LANGUAGES.get(token.text) or nearest(token.text, FUNCTIONS)
            hint = hint or f"functions: {', '.join(FUNCTIONS)}"
            self._fault(token, f"unknown function {token.text!r}", hint)
        self.out.add(token.text, token.offset)
        return 1

    def _unknown_name(self, token: Token) -> None:
        hint = _OTHER_LANGUAGES.get(token.text, "")
        if not hint and token.text in FUNCTIONS:
            hint = f"write {token.text}(...)"
        hint = hint or nearest(token.text, [*self._names, *kinds.FUNCTIONS])
        self._fault(
            token,
            f"unknown name {token.text[:_SHOWN]!r}",
            hint or f"known here: {', '.join(sorted(self._names))}",
        )

    def _record_field(self, at: int, kind: str) -> int:
        token, name = self._tokens[at], self._field_of(at)
        if name is None:
            example = f"such as {token.text}.{next(iter(self._fields[kind]), 'field')}"
            self._fault(token, f"{token.text!r} is a record; name one of its fields", example)
            return 1
        found = self._fields[kind].get(name.text)
        if found is None:
            self._unknown_field(token, name, kind)
        else:
            self.out.add(self.out.variable(Read(token.text, name.text, found)), token.offset)
        return 3

    def _has(self, at: int) -> int:
        """`has(root.field)` becomes a flag of its own; of a loop variable it stays CEL's."""
        parts = [self._tokens[each] for each in range(at, min(at + 6, len(self._tokens)))]
        shape = [part.text if part.kind == "sign" else part.kind for part in parts]
        if shape != ["name", "(", "name", ".", "name", ")"]:
            self._fault(parts[0], "has() asks for one field", "such as has(anchor.rpe)")
            return (self._tokens.match(at + 1) or at) - at + 1
        root, name = parts[2], parts[4]
        kind = self._names.get(root.text)
        if root.text in self._loop_variables:
            if name.text in self._fields["set"]:
                self.out.add(f"has({root.text}.{name.text})", root.offset)
            else:
                self._unknown_field(root, name, "set")
        elif kind is None:
            self._unknown_name(root)
        elif kind not in self._fields:
            hint = "a fact over no event is absent of itself, and makes the verdict insufficient"
            self._fault(root, f"{root.text!r} is no record, so it has no fields", hint)
        elif name.text not in self._fields[kind]:
            self._unknown_field(root, name, kind)
        else:
            found = self._fields[kind][name.text]
            self.out.add(self.out.variable(Read(root.text, name.text, found, presence=True)), root.offset)
        return len(parts)

    def _loop_variable(self, at: int) -> int:
        """A field of a list's element may be absent too: read it only when it is there."""
        token, name = self._tokens[at], self._field_of(at)
        if name is None or self._tokens.text(at + 3) == "(":
            self.out.add(token.text, token.offset)
            return 1
        found = self._fields["set"].get(name.text)
        if found is None:
            self._unknown_field(token, name, "set")
        else:
            spelled = f"{token.text}.{name.text}"
            self.out.add(
                f'(has({spelled}) ? {spelled} : {ABSENT_FUNCTION[found]}("{spelled}"))', token.offset
            )
        return 3

    def _unknown_field(self, root: Token, name: Token, kind: str) -> None:
        fields = self._fields[kind]
        what = {"params": "this rule's params have", "set": "a set has"}.get(
            kind, f"{root.text!r} ({kind}) has"
        )
        hint = nearest(name.text, list(fields)) or f"its fields: {', '.join(sorted(fields)) or 'none'}"
        self._fault(name, f"{what} no field {name.text!r}", hint)

    def _fault(self, token: Token, message: str, hint: str) -> None:
        self.out.faults.append(ExpressionFault(token.offset, message, hint))

    def _field_of(self, at: int) -> Token | None:
        selected = self._tokens.text(at + 1) == "." and self._tokens.kind(at + 2) == "name"
        return self._tokens[at + 2] if selected else None

    def _field_span(self, at: int) -> int:
        """Return how many tokens `root.field` takes from `at`, or 1 without a field."""
        return 1 if self._field_of(at) is None else 3

    def _is_index(self, at: int) -> bool:
        """Whether the number at `at` is a position in a list (`x[0]`), which must stay an int."""
        bracketed = self._tokens.text(at - 1) == "[" and self._tokens.text(at + 1) == "]"
        return bracketed and (self._tokens.is_name(at - 2) or self._tokens.text(at - 2) in CLOSING)

    def _find_loop_variables(self) -> None:
        for at, token in enumerate(self._tokens):
            shape = (self._tokens.text(at - 3), self._tokens.text(at - 1), self._tokens.text(at + 1))
            if shape == (".", "(", ",") and self._tokens.text(at - 2) in MACROS and self._tokens.is_name(at):
                if token.text in self._names:
                    told = f"the element's name {token.text!r} hides a name"
                    self._fault(token, told, "choose another, such as s or m")
                self._loop_variables.add(token.text)
