"""Every snippet of every page is run, or says why not: rules are checked and tested, requests are posted."""

import ast
import ipaddress
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from standardwebhooks.webhooks import Webhook

from deploy.cli import main
from shared.contracts.events import EVENT_TYPES
from tests.docs.pages import PAGES, ROOT, Snippet, links, snippets, words_of_code
from tests.ingest.door import Door, open_door_on

ALL = [snippet for page in PAGES for snippet in snippets(page)]
PLAYED = ROOT / "docs/tutorial.md"
"""Its snippets hang together; test_tutorial plays them."""
NO_CODE = {"", "text"}
KNOWN = {"sh", "console", "diff", "yaml", "json", "python", "js", *NO_CODE}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REQUESTS = [each for each in ALL if each.language == "sh" and each.text.startswith("curl ")]
ENDS_A_CALL = "|&;<>()"


def written_in(*languages: str) -> list[Snippet]:
    return [each for each in ALL if each.language in languages and each.page != PLAYED]


def those(snippets_: Sequence[Snippet]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("snippet", snippets_, ids=str)


@pytest.fixture
def door(store_url: str) -> Iterator[Door]:
    opened = open_door_on(store_url, webhook_allow_networks=(ipaddress.ip_network("127.0.0.0/8"),))
    yield opened
    opened.close()


def test_every_snippet_is_in_a_language_that_is_run_here() -> None:
    assert {str(each): each.language for each in ALL if each.language not in KNOWN} == {}


def test_what_is_not_run_has_a_reason_and_the_tests_that_it_names_are_there() -> None:
    for snippet in ALL:
        if snippet.language == "js" or (snippet.language in {"sh", "console"} and snippet not in REQUESTS):
            assert snippet.not_run or snippet.page == PLAYED, f"{snippet} is run nowhere, and says not why"
        for named in re.findall(r"tests/[\w/]+\.py", snippet.not_run):
            assert (ROOT / named).is_file(), f"{snippet}: there is no {named}"


@pytest.mark.parametrize("page", [page for page in PAGES if page != PLAYED], ids=lambda page: page.name)
def test_the_rule_files_of_a_page_pass_their_checks_and_tests(page: Path, tmp_path: Path) -> None:
    files = [each for each in snippets(page) if each.file.endswith(".yaml")]
    for each in files:
        (tmp_path / each.file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each.file).write_text(each.content, "utf-8")
    layers = list(dict.fromkeys(str(tmp_path / each.file.partition("/")[0]) for each in files))
    if layers:
        assert run("rules", "check", "--strict", *layers).rstrip().endswith("all right")
    tests = [str(tmp_path / each.file) for each in files if each.file.endswith(".test.yaml")]
    if tests:
        assert re.search(r": [1-9]\d* held$", run("rules", "test", *tests).strip())


@those(written_in("yaml"))
def test_yaml_names_its_file_and_what_is_for_compose_names_its_services(snippet: Snippet) -> None:
    value = YAML(typ="safe").load(snippet.content)
    if snippet.file.startswith("docker-compose"):
        known = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
        assert set(value["services"]) <= set(known)
    else:
        assert snippet.file, "its first line names no file, as in `# my-rules/evening.yaml`"


@those(written_in("json"))
def test_json_is_json_and_an_event_is_taken_by_the_front_door(snippet: Snippet, door: Door) -> None:
    value = json.loads(snippet.text)
    if isinstance(value, dict) and value.get("type") in EVENT_TYPES:
        assert door.post_events(value).status_code == 202


@those(REQUESTS)
def test_a_request_is_taken_by_the_front_door(snippet: Snippet, door: Door) -> None:
    method, path, body = request(snippet)
    answer = door.call(method, path, json=body)
    assert answer.status_code in {200, 201, 202}, answer.text


@those(written_in("python"))
def test_python_does_what_it_says_with_a_signed_message(snippet: Snippet) -> None:
    told = {"type": "advice.issued", "data": {"rule": "no-sprint-after-strength"}}
    body, at = json.dumps(told), datetime.now(UTC)
    headers = {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("dlv_1", at, body),
    }
    names: dict[str, Any] = {"secret": SECRET, "body": body, "headers": headers}
    code = ast.parse(snippet.text.replace("whsec_…", SECRET), str(snippet))
    exec(compile(code, str(snippet), "exec"), names)  # noqa: S102 - our own page's code
    assert names["event"] == told


@those(written_in("sh"))
def test_a_shell_reads_what_it_is_given(snippet: Snippet) -> None:
    read = subprocess.run(["bash", "-n"], input=snippet.text, text=True, capture_output=True, check=False)
    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_there_with_its_options(page: Path) -> None:
    shells = (each.text for each in snippets(page) if each.language in {"sh", "console"})
    for text in (*shells, *words_of_code(page)):
        for words in calls(text):
            assert unknown(words) == [], f"tandem {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    inside = (link.partition("#")[0] for link in links(page) if "://" not in link)
    assert [link for link in inside if link and not (page.parent / link).exists()] == []


def test_a_command_that_is_not_there_would_be_found() -> None:
    assert list(calls("x=1 tandem rules chek a | cat; tandem up --prot 1")) == [
        ["rules", "chek", "a"],
        ["up", "--prot", "1"],
    ]
    assert unknown(["rules", "chek", "a"]) == ["chek"]
    assert unknown(["up", "--prot", "1"]) == ["--prot"]
    assert unknown(["rules", "trace", "RULE", "--athlete", "ID"]) == []


def run(*words: str) -> str:
    """Return what `tandem` prints; it must end well."""
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def request(snippet: Snippet) -> tuple[str, str, Any]:
    """Return method, path and body of a curl; a target that is made up gives way to this machine."""
    words = shlex.split(snippet.text.replace("https://club.example/", "http://127.0.0.1:9000/"))
    path = next(word for word in words if word.startswith("$TANDEM")).removeprefix("$TANDEM")
    return words[words.index("-X") + 1], path, json.loads(words[words.index("-d") + 1])


def calls(text: str) -> Iterator[list[str]]:
    """Yield the words behind each `tandem`, up to the end of that command."""
    for line in text.replace("\\\n", " ").splitlines():
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=ENDS_A_CALL)
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:  # a quote that another line closes
            continue
        for index, word in enumerate(words):
            if word == "tandem":
                behind = words[index + 1 :]
                ends = [at for at, each in enumerate(behind) if set(each) <= set(ENDS_A_CALL)]
                yield behind[: ends[0]] if ends else behind


def unknown(words: Sequence[str]) -> list[str]:
    """Return the subcommands and options among the words that `tandem` does not have."""
    command: click.Command = main
    left = [word.strip("[]") for word in words]
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        if left[0] not in command.commands:
            return [left[0]]
        command = command.commands[left.pop(0)]
    options = {option for each in command.params for option in each.opts} | {"--help", "-h"}
    return [word for word in left if word.startswith("--") and word.partition("=")[0] not in options]
