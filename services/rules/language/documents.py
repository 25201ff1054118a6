"""How a YAML file becomes plain values of which each knows its line and column."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from services.rules.language.faults import Fault, RuleFileError
from services.rules.language.scalars import index_in_file, meaning
from shared.contracts.faults import printable

MAX_BYTES: Final = 1024 * 1024
MAX_VALUES: Final = 50_000
MAX_DEPTH: Final = 24

Plain: TypeAlias = Any  # recursive: a Scalar, a list of these, or a map of text to these
Path: TypeAlias = tuple[str | int, ...]

_SURROGATE = re.compile("[\ud800-\udfff]")  # YAML's escapes can write half a pair, as "\\ud800"
_TEXT_TAG = "tag:yaml.org,2002:str"
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a value begins, and its key if it has one. `style` is YAML's: None, ', ", > or |."""

    start: int
    key: int | None
    style: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its plain value, and the place of everything in it."""

    file: str
    text: str
    value: Plain = None
    spans: Mapping[Path, _Span] = field(default_factory=dict)
    """By the way to each value that was read; the file's own, (), is always there."""

    def fault_at(self, index: int, message: str, hint: str) -> Fault:
        """Return a fault at a character of the file."""
        index = max(0, min(index, len(self.text)))
        first = self.text.rfind("\n", 0, index) + 1
        last = self.text.find("\n", first)
        line = self.text[first : last if last >= 0 else len(self.text)]
        return Fault(self.file, self.text.count("\n", 0, index) + 1, index - first + 1, line, message, hint)


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a document, by the keys and positions that lead to it. `place / "facts"` is what lies below."""

    document: Document
    path: Path = ()

    def __truediv__(self, step: str | int) -> "Place":
        return Place(self.document, (*self.path, step))

    @property
    def value(self) -> Plain:
        """The value there, or None when there is nothing."""
        found = self.document.value
        for step in self.path:
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int):
                found = found[step] if step < len(found) else None
            else:
                return None
        return found

    @property
    def name(self) -> str:
        """The key or position as a person would say it."""
        last = self.path[-1] if self.path else "file"
        if isinstance(last, str):
            return printable(last)
        return f"{printable(str(self.path[-2])) if len(self.path) > 1 else 'file'}[{last}]"

    @property
    def spot(self) -> str:
        """`file:line` of the value, for a message that speaks of two places."""
        fault = self.fault("", "")
        return f"{fault.file}:{fault.line}"

    def fault(self, message: str, hint: str, *, key: bool = False, offset: int = 0) -> Fault:
        """Return a fault about the value (from character `offset` of it), or about its `key`.

        What is not in the file is reported at the nearest thing around it.
        """
        path = self.path
        while path not in self.document.spans:
            path = path[:-1]
        span = self.document.spans[path]
        if (key or path != self.path) and span.key is not None:
            index = span.key
        else:
            index = index_in_file(self.document.text, span.start, span.style, span.value, offset)
        return self.document.fault_at(index, message, hint)


def read(file: str, text: str) -> Document:
    """Return the file's values and places; raise `RuleFileError` with all that is wrong with it as YAML."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    bare = Document(file, text)
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise RuleFileError(
            [bare.fault_at(0, "the file is larger than 1 MiB", "split it into several files")]
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ReusedAnchorWarning)
            root = YAML(typ="safe", pure=True).compose(text)
    except ReusedAnchorWarning as error:
        raise RuleFileError([_anchor_fault(bare, str(error))]) from error
    except MarkedYAMLError as error:
        raise RuleFileError([_yaml_fault(bare, error)]) from error
    except ReaderError as error:
        message = "a character that YAML does not allow"
        hint = "remove it, or write it as an escape in double quotes"
        raise RuleFileError([bare.fault_at(error.position, message, hint)]) from error
    except RecursionError as error:
        fault = bare.fault_at(0, "the values are nested too deeply", "a rule file needs few levels")
        raise RuleFileError([fault]) from error
    except (YAMLError, ValueError, AttributeError, TypeError, IndexError, AssertionError) as error:
        # The parser itself stumbles over some malformed input; whatever it says, the file is no YAML.
        fault = bare.fault_at(0, f"this is no YAML: {printable(str(error))}", "check the punctuation")
        raise RuleFileError([fault]) from error
    if root is None:
        hint = "a rule file begins with `pack: NAME` and `version: 1`"
        raise RuleFileError([bare.fault_at(0, "the file is empty", hint)])
    reading = _Reading(bare)
    value = reading.plain(root, (), None)
    if reading.faults:
        raise RuleFileError(reading.faults)
    return Document(file, text, value, reading.spans)


def _anchor_fault(bare: Document, said: str) -> Fault:
    """Return the fault of an anchor that is set twice: YAML allows it, and an alias would mean one or the other."""
    name = re.search(r"duplicate anchor '(.*)'", said)
    second = re.findall(r"line (\d+), column (\d+)", said)[-1:]
    line, column = (int(number) for number in second[0]) if second else (1, 1)
    text = bare.text.split("\n")
    message = f"the anchor &{printable(name[1]) if name else ''} is set twice"
    shown = text[line - 1] if line <= len(text) else ""
    return Fault(bare.file, line, column, shown, message, "name one of them otherwise")


def _yaml_fault(bare: Document, error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    index = mark.index if mark is not None else 0
    if bare.text[index : index + 1] == "\t":
        return bare.fault_at(index, "a tab where YAML wants spaces", "indent with spaces")
    context = f"{error.context}: " if error.context else ""
    problem = str(error.problem or "this is no YAML").strip()
    hint = "put text that holds `: `, ` #` or begins with a sign such as { [ * & ! % @ in quotes"
    return bare.fault_at(index, printable(f"{context}{problem}"), hint)


@dataclass(slots=True)
class _Reading:
    """One walk over the composed nodes. Aliases are followed, so it counts values instead of trusting the size."""

    bare: Document
    spans: dict[Path, _Span] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _full: bool = False

    def plain(self, node: Node, path: Path, key: int | None) -> Plain:
        start = node.start_mark.index
        style, text = (node.style, str(node.value)) if isinstance(node, ScalarNode) else (None, "")
        self.spans[path] = _Span(start, key, style, text)
        if self._too_much(path, start):
            return None
        tag = str(node.tag or "")
        if tag not in _TAGS:
            self._say(start, f"the tag {printable(tag)} is not allowed", "leave the tag out")
            return None
        if _SURROGATE.search(text):
            self._say(start, "the text holds half a character, which cannot be stored", "write it whole")
            return None
        if isinstance(node, ScalarNode):
            return meaning(text, plain=style is None and tag != _TEXT_TAG)
        if isinstance(node, SequenceNode):
            return [self.plain(each, (*path, index), None) for index, each in enumerate(node.value)]
        return self._mapping(node, path) if isinstance(node, MappingNode) else None

    def _mapping(self, node: MappingNode, path: Path) -> Mapping[str, Plain]:
        found: dict[str, Plain] = {}
        first: dict[str, int] = {}
        pairs: Sequence[tuple[Node, Node]] = node.value
        for key, value in pairs:
            index = key.start_mark.index
            if not isinstance(key, ScalarNode):
                self._say(
                    index, "a key must be text", "write `key: value`; quote text that begins with { or ["
                )
                continue
            name = str(key.value)
            if name in found:
                line = self.bare.fault_at(first[name], "", "").line
                self._say(
                    index, f"the key {printable(name)} stands here twice, first in line {line}", "keep one"
                )
                continue
            if _SURROGATE.search(name):
                self._say(index, "the key holds half a character, which cannot be stored", "write it whole")
                continue
            first[name] = index
            found[name] = self.plain(value, (*path, name), index)
        return found

    def _too_much(self, path: Path, index: int) -> bool:
        if self._full:
            return True
        if len(path) > MAX_DEPTH:
            self._say(index, f"values are nested more than {MAX_DEPTH} deep", "an alias may not hold itself")
        elif len(self.spans) > MAX_VALUES:
            self._say(index, f"the file holds more than {MAX_VALUES:,} values, aliases counted", "split it")
        else:
            return False
        self._full = True
        return True

    def _say(self, index: int, message: str, hint: str) -> None:
        if not self._full:
            self.faults.append(self.bare.fault_at(index, message, hint))
