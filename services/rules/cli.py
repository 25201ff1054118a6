"""`tandem rules`: check rule files, run the tests beside them, and say in words what a rule does."""

import json
import sys
from importlib import resources
from pathlib import Path

import click

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


@click.group()
def rules() -> None:
    """Check, test and explain rule files."""


@rules.command()
@_PATHS
@click.option("--strict", is_flag=True, help="Exit with 1 when there are warnings.")
@click.option("--against", multiple=True, type=click.Path(path_type=Path), help="The rules as they were.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(paths: tuple[Path, ...], against: tuple[Path, ...], form: str, *, strict: bool) -> None:
    """Check rule files and folders at PATHS; a later path's rules replace an earlier one's.

    Without PATHS, the packs that ship with Tandem. Warnings are about what is legal and probably wrong; with
    --against, also about rules that changed under an old version.

    Exit code: 0 all right, 1 warnings under --strict, 2 faults, which are all printed.
    """
    from services.rules.checking import check as checked  # noqa: PLC0415 - CEL loads slowly

    report = checked(paths or _shipped(), against)
    if form == "json":
        click.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    else:
        for finding in (*report.doubts, *report.faults):
            click.echo(str(finding), err=True)
        if report.faults:
            click.echo(f"\n{_count(len(report.faults), 'fault')}", err=True)
        else:
            modes = [rule.mode for rule in report.rules]
            aside = ", ".join(f"{modes.count(mode)} {mode}" for mode in ("shadow", "off") if mode in modes)
            warned = f", {_count(len(report.doubts), 'warning')}" if report.doubts else ""
            counted = f"{_count(len(modes), 'rule')} in {_count(report.files, 'file')}"
            click.echo(f"{counted}: all right{warned}{f' ({aside})' if aside else ''}")
    if report.faults:
        sys.exit(2)
    if strict and report.doubts:
        sys.exit(1)


@rules.command()
@_PATHS
@click.option(
    "--coverage", is_flag=True, help="Say which rules and which sides of conditions no test has seen."
)
@click.option("--watch", is_flag=True, help="Run again whenever a file there changes, until Ctrl-C.")
def test(paths: tuple[Path, ...], *, coverage: bool, watch: bool) -> None:
    """Run the tests (*.test.yaml) at PATHS, or of the packs that ship with Tandem.

    Exit code: 0 all held, 1 some failed, 2 a file is wrong.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded by every process that shares this command

    from services.rules.language.load import RuleFileError  # noqa: PLC0415 - CEL loads slowly
    from services.rules.testing import run_tests  # noqa: PLC0415 - the same

    def once() -> int:
        try:
            return run_tests(wanted, console, coverage=coverage)
        except RuleFileError as error:
            click.echo(str(error), err=True)
            return 2

    wanted, console = paths or _shipped(), Console()
    code = once()
    if watch:
        from watchfiles import watch as changes  # noqa: PLC0415 - only this option needs it

        console.print("watching; Ctrl-C ends it")
        # Folders are watched, for editors put a new file in the old one's place.
        folders = {path if path.is_dir() else path.parent for path in wanted}
        for _ in changes(
            *folders, watch_filter=lambda _, file: file.endswith(".yaml"), raise_interrupt=False
        ):
            console.rule()
            code = once()
    sys.exit(code)


@rules.command()
@click.argument("rule_id", metavar="ID")
@_PATHS
def explain(rule_id: str, paths: tuple[Path, ...]) -> None:
    """Say in plain words what the rule ID does, of those at PATHS or of the packs that ship with Tandem.

    Exit code: 0 said, 2 there is no such rule, or a file is wrong.
    """
    from services.rules.explaining import explain as said  # noqa: PLC0415 - CEL loads slowly
    from services.rules.language.load import RuleFileError, load  # noqa: PLC0415 - the same
    from services.rules.language.rewritten import nearest  # noqa: PLC0415 - the same

    try:
        found = {rule.id: rule for rule in load(paths or _shipped()).rules}
    except RuleFileError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if rule_id not in found:
        hint = nearest(rule_id, sorted(found)) or f"rules: {', '.join(sorted(found))}"
        click.echo(f"there is no rule {rule_id!r}; {hint}", err=True)
        sys.exit(2)
    click.echo(said(found[rule_id]))


@rules.command()
@click.argument("files", type=click.Choice(["rules", "tests"]), default="rules")
def schema(files: str) -> None:
    """Print the JSON Schema of rule files, or of test files, for editors to complete and check them by."""
    from services.rules.schemas import SCHEMAS  # noqa: PLC0415 - CEL loads slowly

    click.echo(json.dumps(SCHEMAS[files](), indent=2, ensure_ascii=False))


def _shipped() -> tuple[Path, ...]:
    return (Path(str(resources.files("services.rules") / "packs")),)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
