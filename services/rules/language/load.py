"""Which rules some files make: found, read, layered, compiled and ordered; or every fault of every file at once."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from services.rules.language.documents import MAX_BYTES
from services.rules.language.faults import Fault, RuleFileError
from services.rules.language.layers import Layered, drafts
from services.rules.language.model import RuleSet
from services.rules.language.order import check_supersedes, superseders_first
from services.rules.language.reuse import Before, SourceFile
from services.rules.language.rules import Draft, digest

__all__ = [
    "Fault",
    "RuleFileError",
    "SourceFile",
    "compile_sources",
    "load",
    "load_sources",
    "read_text",
    "sources",
]

RULES_SUFFIX: Final = ".yaml"
TESTS_SUFFIX: Final = ".test.yaml"


def load(paths: Sequence[Path]) -> RuleSet:
    """Return the rules of the files and folders; each path is a layer over those before it.

    Raise `RuleFileError` with all faults of all files.
    """
    return load_sources(sources(paths))


def sources(paths: Sequence[Path]) -> tuple[SourceFile, ...]:
    """Read the files: those named, and of folders, at any depth, each `*.yaml` that is no `*.test.yaml`.

    What begins with a dot is passed over (mounted configuration keeps its older copies there).
    """
    found: dict[Path, SourceFile] = {}
    faults: list[Fault] = []
    for layer, path in enumerate(paths):
        for file in _files(path, faults):
            try:
                found[file] = SourceFile(str(file), read_text(file), layer)
            except RuleFileError as error:
                faults.extend(error.faults)
    if faults:
        raise RuleFileError(faults)
    return tuple(found.values())


def read_text(file: Path) -> str:
    """Return the text of a rule or test file; raise `RuleFileError` when it is too large, unreadable or no UTF-8."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RuleFileError([_about(file, f"cannot be read: {error.strerror}", "check the path")]) from error
    if len(content) > MAX_BYTES:
        raise RuleFileError([_about(file, "the file is larger than 1 MiB", "split it into several files")])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        fault = Fault(str(file), line, column, "", "the file is not UTF-8", "save it as UTF-8")
        raise RuleFileError([fault]) from error


def load_sources(files: Iterable[SourceFile], before: Before | None = None) -> RuleSet:
    """Return the rules of the files, taking from `before` what is the same; raise `RuleFileError` with all faults."""
    return compile_sources(files, before)[0]


def compile_sources(
    files: Iterable[SourceFile], before: Before | None = None
) -> tuple[RuleSet, Mapping[str, Draft]]:
    """Like `load_sources`; return beside the rules what their files say of each."""
    before = before or Before()
    faults: list[Fault] = []
    layered: list[Layered] = []
    for file in files:
        try:
            layered.append(Layered(before.read(file), file.layer))
        except RuleFileError as error:
            faults.extend(error.faults)
    whole = not faults
    standing = drafts(layered, faults)
    compiled = [before.compile(draft, faults) for draft in standing.values()]
    if whole:  # else a rule that is named may well stand in the file that could not be read
        faults.extend(check_supersedes(standing))
    if faults:
        raise RuleFileError(dict.fromkeys(faults))
    rules = superseders_first([rule for rule in compiled if rule is not None])
    return RuleSet(rules, digest(sorted([rule.id, rule.hash, rule.most_a_day] for rule in rules))), standing


def _files(path: Path, faults: list[Fault]) -> Sequence[Path]:
    if path.is_file():
        if path.name.endswith(TESTS_SUFFIX):
            faults.append(
                _about(path, "this is a file of tests, not of rules", "run `tandem rules test` on it")
            )
            return ()
        return (path,)
    if not path.is_dir():
        faults.append(_about(path, "there is no such file or folder", "check the path"))
        return ()
    found = [
        file
        for file in sorted(path.rglob(f"*{RULES_SUFFIX}"))
        if file.is_file()
        and not file.name.endswith(TESTS_SUFFIX)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not found:
        faults.append(_about(path, "the folder holds no rule file", f"name rule files *{RULES_SUFFIX}"))
    return found


def _about(path: Path, message: str, hint: str) -> Fault:
    return Fault(str(path), 1, 1, "", message, hint)
