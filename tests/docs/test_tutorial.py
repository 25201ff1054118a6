"""The tutorial, played from its first line to its last: every command is run and answers what the page shows."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.embedded import free_port
from tests.docs.pages import ROOT, Snippet, snippets
from tests.docs.terminal import Shell, is_as_shown, reader, terminal, transcript

PAGE = ROOT / "docs/tutorial.md"


@pytest.mark.timeout(180)
def test_a_stranger_gets_from_the_first_line_to_the_last(tmp_path: Path) -> None:
    port = free_port()
    environ = reader(tmp_path / "data")
    with ExitStack() as terminals:
        first = terminals.enter_context(terminal(tmp_path, environ))
        for snippet in snippets(PAGE):
            if snippet.not_run:
                continue
            if snippet.until:
                second = terminals.enter_context(terminal(tmp_path, environ))
                second.type(_on(port, snippet.text.replace("tandem up", f"tandem up --port {port}")))
                second.until(_on(port, snippet.until))
            elif snippet.language in {"sh", "console"}:
                _follow(first, snippet, port)
            else:
                _edit(tmp_path, snippet)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("club clb_… at 9", "club clb_7 at 9\n", True),
        ("club clb_… at 9", "club clb_7 at 10\n", False),
        ("…\nb", "1\n2\nb\n", True),
        ("…\nb", "1\n2\nc\n", False),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "a fault", False),
    ],
)
def test_what_is_shown_is_what_is_printed_but_for_the_ellipsis(
    shown: str, printed: str, *, same: bool
) -> None:
    assert is_as_shown(shown, printed) is same


def _on(port: int, text: str) -> str:
    return text.replace("8080", str(port))


def _follow(shell: Shell, snippet: Snippet, port: int) -> None:
    """Type what the snippet has, and compare where it shows what comes."""
    if snippet.language == "sh":
        shell.run(_on(port, snippet.text))
        assert shell.run("echo $?").strip() == "0", snippet
        return
    for command, shown in transcript(snippet.text):
        printed = shell.run(_on(port, command))
        assert is_as_shown(shown, printed), f"{snippet} shows\n{shown}\nand `{command}` prints\n{printed}"


def _edit(folder: Path, snippet: Snippet) -> None:
    """Save the file that the snippet names, add to it, or change in it what the snippet marks with - and +."""
    file = folder / snippet.file
    assert snippet.file, f"{snippet} names no file"
    file.parent.mkdir(exist_ok=True)
    if snippet.language == "diff":
        lines = snippet.content.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{snippet} changes what is not there, or there twice:\n{old}"
        file.write_text(text.replace(old, new), "utf-8")
    elif snippet.is_addition:
        file.write_text(f"{file.read_text('utf-8')}\n{snippet.content}", "utf-8")
    else:
        file.write_text(snippet.content, "utf-8")
