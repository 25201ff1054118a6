"""Turns a rule's CEL into the CEL that is compiled: doubles for numbers, one flat variable for each field it reads.

CEL has no notion of a field that is absent, so `lift.start` becomes a variable of its own, bound only when the lift
has a start: reading it unbound is an error that CEL's `&&` and `||` absorb where the other side decides, which is
exactly what the language promises. Every piece remembers where in the source it came from.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from services.rules.language import kinds

MOST_CHARACTERS = 2_000
DEEPEST = 32
DEEPEST_COMPREHENSION = 2

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*)"
    r"|(?P<text>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))"
    r"|(?P<double>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<int>\d+(?![\w.]))"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||<=|>=|==|!=|.)",
    re.DOTALL,
)
_WORDS = frozenset({"true", "false", "null", "in"})
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_COUNTING_METHODS = frozenset(
    {
        "size",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getFullYear",
        "getHours",
        "getMilliseconds",
    }
    | {"getMinutes", "getMonth", "getSeconds"}
)
_OPENING, _CLOSING = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
_SPLIT = "split the expression into facts"
_LIST_HINT = "such as anchor.sets.exists(s, s.reps > 5)"
ABSENT_FUNCTION = {kinds.NUMBER: "absent_number", kinds.TEXT: "absent_text", kinds.FLAG: "absent_flag"}


@dataclass(frozen=True, slots=True)
class ExpressionFault:
    """One fault, at a character offset into the source."""

    offset: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """One flat variable: the name and field that it stands for, its kind, and whether it only asks for presence."""

    root: str
    field: str | None
    kind: str
    presence: bool = False

    @property
    def spelled(self) -> str:
        """As the rule's author would write it."""
        return self.root if self.field is None else f"{self.root}.{self.field}"


@dataclass(slots=True)
class Rewritten:
    """The CEL to compile, its variables, and for each piece of it the offset it came from."""

    text: str = ""
    reads: dict[str, Read] = field(default_factory=dict)
    faults: list[ExpressionFault] = field(default_factory=list)
    _pieces: list[tuple[int, int]] = field(default_factory=list)

    def add(self, piece: str, offset: int) -> None:
        """Append `piece`, which stands for what the source has at `offset`."""
        self._pieces.append((len(self.text), offset))
        self.text += piece

    def origin(self, position: int) -> int:
        """Return the source offset of what stands at `position` of the text."""
        best = 0
        for start, offset in self._pieces:
            if start > position:
                break
            best = offset
        return best

    def variable(self, read: Read) -> str:
        """Return the name of the flat variable for `read`."""
        for name, known in self.reads.items():
            if known == read:
                return name
        name = f"v{len(self.reads)}_"
        self.reads[name] = read
        return name


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


def rewrite(source: str, names: Mapping[str, str], params: Mapping[str, str]) -> Rewritten:
    """Return the CEL to compile for `source`, with the faults that are plain without compiling it."""
    if len(source) > MOST_CHARACTERS:
        told = f"the expression has {len(source)} characters; at most {MOST_CHARACTERS} are allowed"
        fault = ExpressionFault(MOST_CHARACTERS, told)
        return Rewritten(faults=[fault])
    if not source.strip():
        return Rewritten(faults=[ExpressionFault(0, "the expression is empty")])
    tokens = [_Token(str(m.lastgroup), m.group(), m.start()) for m in _TOKEN.finditer(source)]
    return _Rewriter(tokens, names, params).run()


def nearest(found: str, allowed: Sequence[str]) -> str:
    """Return "did you mean ...?" for the closest of `allowed`, else ''."""
    close = get_close_matches(found, allowed, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


class _Rewriter:
    def __init__(self, tokens: Sequence[_Token], names: Mapping[str, str], params: Mapping[str, str]) -> None:
        self._all = tokens
        self._code = [index for index, token in enumerate(tokens) if token.kind != "space"]
        self._place = {index: position for position, index in enumerate(self._code)}
        self._names = names
        self._fields = {**kinds.RECORD_FIELDS, "params": params}
        self._loop_variables = self._find_loop_variables()
        self._opens: dict[int, str] = {}
        self._closes: dict[int, str] = {}
        self.out = Rewritten()

    def run(self) -> Rewritten:
        self._bound()
        self._wrap_counts()
        index = 0
        while index < len(self._all):
            token = self._all[index]
            self.out.add(self._opens.get(index, ""), token.offset)
            taken = 1
            if token.kind == "int" and not self._is_index(index):
                self.out.add(f"{token.text}.0", token.offset)
            elif token.kind == "name":
                taken = self._name(index)
            else:
                self.out.add(token.text, token.offset)
            index += taken
            self.out.add(self._closes.get(index - 1, ""), token.offset)
        return self.out

    def _name(self, index: int) -> int:  # noqa: PLR0911 - one line a meaning that a name can have
        """Write what the name at `index` becomes; return how many tokens that took."""
        token = self._all[index]
        before, after = self._near(index, -1), self._near(index, 1)
        if token.text == "has" and after == "(":
            return self._has(index)
        if before == "." and after != "(" and self._near(index, -2) in {*_CLOSING, None}:
            # The element's field may be absent, and a plain select would read that as zero.
            self._fault(
                token, f"{token.text!r} of a list's element is read outside a list function", _LIST_HINT
            )
            return 1
        if before == "." or token.text in _WORDS:
            self.out.add(token.text, token.offset)
            return 1
        if token.text in self._loop_variables:
            return self._loop_variable(index)
        if after == "(":
            self.out.add(token.text, token.offset)
            return 1
        kind = self._names.get(token.text)
        if kind is None:
            hint = nearest(token.text, [*self._names, *kinds.FUNCTIONS])
            self._fault(
                token, f"unknown name {token.text!r}", hint or f"known here: {', '.join(sorted(self._names))}"
            )
            return self._field_span(index)
        if kind in self._fields:
            return self._record_field(index, kind)
        self.out.add(self.out.variable(Read(token.text, None, kind)), token.offset)
        return 1

    def _record_field(self, index: int, kind: str) -> int:
        token, name = self._all[index], self._field_of(index)
        if name is None:
            example = f"such as {token.text}.{next(iter(self._fields[kind]), 'field')}"
            self._fault(token, f"{token.text!r} is a record; name one of its fields", example)
            return 1
        found = self._fields[kind].get(name.text)
        if found is None:
            self._unknown_field(token, name, kind)
        else:
            self.out.add(self.out.variable(Read(token.text, name.text, found)), token.offset)
        return self._field_span(index)

    def _has(self, index: int) -> int:
        """`has(root.field)` becomes a flag of its own; of a loop variable it stays CEL's."""
        places = self._code[self._place[index] : self._place[index] + 6]
        parts = [self._all[place] for place in places]
        shape = [part.text if part.kind == "sign" else part.kind for part in parts]
        if shape != ["name", "(", "name", ".", "name", ")"]:
            self._fault(parts[0], "has() asks for one field", "such as has(anchor.rpe)")
            return 1
        root, name = parts[2], parts[4]
        span = places[-1] - index + 1
        kind = self._names.get(root.text)
        if root.text in self._loop_variables:
            self.out.add(f"has({root.text}.{name.text})", root.offset)
        elif kind is None:
            self._fault(root, f"unknown name {root.text!r}", nearest(root.text, list(self._names)))
        elif kind not in self._fields:
            self._fault(root, f"{root.text!r} is no record, so it has no fields", "")
        elif name.text not in self._fields[kind]:
            self._unknown_field(root, name, kind)
        else:
            found = self._fields[kind][name.text]
            self.out.add(self.out.variable(Read(root.text, name.text, found, presence=True)), root.offset)
        return span

    def _loop_variable(self, index: int) -> int:
        """A field of a list's element may be absent too: read it only when it is there."""
        token, name = self._all[index], self._field_of(index)
        if name is None:
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
        return self._field_span(index)

    def _unknown_field(self, root: _Token, name: _Token, kind: str) -> None:
        fields = self._fields[kind]
        what = {"params": "this rule's params have", "set": "a set has"}.get(
            kind, f"{root.text!r} ({kind}) has"
        )
        hint = nearest(name.text, list(fields)) or f"its fields: {', '.join(sorted(fields)) or 'none'}"
        self.out.faults.append(ExpressionFault(name.offset, f"{what} no field {name.text!r}", hint))

    def _fault(self, token: _Token, message: str, hint: str) -> None:
        self.out.faults.append(ExpressionFault(token.offset, message, hint))

    def _field_of(self, index: int) -> _Token | None:
        place = self._place[index]
        if self._near(index, 1) != "." or place + 2 >= len(self._code):
            return None
        token = self._all[self._code[place + 2]]
        return token if token.kind == "name" else None

    def _field_span(self, index: int) -> int:
        """Return how many tokens `root.field` takes from `index`, or 1 without a field."""
        return 1 if self._field_of(index) is None else self._code[self._place[index] + 2] - index + 1

    def _near(self, index: int, steps: int) -> str | None:
        place = self._place[index] + steps
        return self._all[self._code[place]].text if 0 <= place < len(self._code) else None

    def _is_index(self, index: int) -> bool:
        """Whether the number at `index` is a position in a list (`x[0]`), which must stay an int."""
        if self._near(index, -1) != "[" or self._near(index, 1) != "]" or self._place[index] < 2:  # noqa: PLR2004
            return False
        before = self._all[self._code[self._place[index] - 2]]
        return (before.kind == "name" and before.text not in _WORDS) or before.text in _CLOSING

    def _find_loop_variables(self) -> set[str]:
        texts = [self._all[index].text for index in self._code]
        return {
            texts[at + 3]
            for at in range(len(texts) - 4)
            if texts[at] == "." and texts[at + 1] in _MACROS and texts[at + 2] == "(" and texts[at + 4] == ","
        }

    def _bound(self) -> None:
        """Refuse what nests too deep, and brackets that do not match."""
        stack: list[tuple[str, int, bool]] = []
        for place, index in enumerate(self._code):
            token = self._all[index]
            if token.text in _OPENING and token.kind == "sign":
                macro = token.text == "(" and place > 0 and self._all[self._code[place - 1]].text in _MACROS
                stack.append((token.text, index, macro))
                if len(stack) > DEEPEST:
                    self._fault(
                        token, f"brackets nest deeper than {DEEPEST}", "split the expression into facts"
                    )
                    return
                if sum(each[2] for each in stack) > DEEPEST_COMPREHENSION:
                    self._fault(
                        token,
                        f"list functions nest deeper than {DEEPEST_COMPREHENSION}",
                        "split it into facts",
                    )
                    return
            elif (
                token.text in _CLOSING
                and token.kind == "sign"
                and stack
                and _OPENING[stack[-1][0]] == token.text
            ):
                stack.pop()

    def _wrap_counts(self) -> None:
        """Whatever gives an int (`size(x)`, `x.size()`, `t.getHours()`) becomes a double: numbers are doubles."""
        for place, index in enumerate(self._code):
            token = self._all[index]
            if token.text not in _COUNTING_METHODS or self._near(index, 1) != "(":
                continue
            end = self._matching(place + 1, 1)
            start: int | None = place
            if self._near(index, -1) == ".":
                start = self._operand(place - 2)
            elif token.text != "size":
                continue
            if end is not None and start is not None:
                first, last = self._code[start], self._code[end]
                self._opens[first] = "double(" + self._opens.get(first, "")
                self._closes[last] = self._closes.get(last, "") + ")"

    def _operand(self, end: int) -> int | None:
        """Return where the operand that ends at `end` begins: names, dots, calls and indexes."""
        begin = end
        while begin >= 0:
            if self._all[self._code[begin]].text in _CLOSING:
                opening = self._matching(begin, -1)
                if opening is None:
                    return None
                called = opening > 0 and self._all[self._code[opening - 1]].kind == "name"
                begin = opening - 1 if called else opening
            if begin == 0 or self._all[self._code[begin - 1]].text != ".":
                return begin
            begin -= 2
        return None

    def _matching(self, place: int, step: int) -> int | None:
        depth = 0
        ups, downs = (_OPENING, _CLOSING) if step > 0 else (_CLOSING, _OPENING)
        while 0 <= place < len(self._code):
            text = self._all[self._code[place]].text
            depth += (text in ups) - (text in downs)
            if depth == 0:
                return place
            place += step
        return None
