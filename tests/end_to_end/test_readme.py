"""The README's own commands, run as they stand: a newcomer gets from clone to real advice."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest

from deploy.embedded import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FIRST_STEPS = README.partition("## From clone to advice")[2].partition("## For the integration engineer")[0]
SILENCE_S = 45
"""A bound for hangs, not a claim: the slowest step is a start of all processes."""
pytestmark = pytest.mark.timeout(180)


def shell_blocks(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


class Shell:
    """A terminal: commands go in, lines come out."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.lines: Queue[str] = Queue()
        self.process = subprocess.Popen(
            ["bash"], cwd=ROOT, env=environ, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def type(self, commands: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(commands)
        self.process.stdin.flush()

    def until(self, part: str) -> str:
        """Return what came up to and with the line that holds `part`; fail when nothing more comes."""
        seen = ""
        while part not in seen:
            try:
                seen += self.lines.get(timeout=SILENCE_S)
            except Empty:
                pytest.fail(f"no {part!r} in:\n{seen}")
        return seen


@contextmanager
def terminal(environ: dict[str, str]) -> Iterator[Shell]:
    shell = Shell(environ)
    try:
        yield shell
    finally:
        os.killpg(shell.process.pid, signal.SIGTERM)
        shell.process.wait()
        shell.reader.join()  # the output ends when the last process that writes to it does
        for stream in (shell.process.stdin, shell.process.stdout):
            assert stream is not None
            stream.close()


def test_the_first_screen_leads_to_advice(tmp_path: Path) -> None:
    port, receiver = free_port(), free_port()
    demo, up, subscribe, train, read = (
        # Free ports instead of the README's; 9000 is the receiver's default.
        block.replace("8080", str(port))
        .replace("9000", str(receiver))
        .replace('"$SECRET" &', f'"$SECRET" {receiver} &')
        for block in shell_blocks(FIRST_STEPS)
    )
    assert demo == "make demo\n"  # tests/end_to_end/test_up.py runs it
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**kept, "PATH": path, "TANDEM_DATA_DIR": str(tmp_path)}
    with terminal(environ) as first, terminal(environ) as second:
        first.type(up.replace("tandem up", f"tandem up --port {port}"))
        first.until(f"ready on http://127.0.0.1:{port}")
        second.type(subscribe + train)
        told = second.until("advice.issued  ana  ")
        assert '"accepted":2' in told.replace(" ", "")
        second.type(read)
        assert '"no-sprint-after-strength"' in second.until('"no-sprint-after-strength"')


def test_the_coachs_rule_passes_its_test(tmp_path: Path) -> None:
    for name, content in re.findall(r"```yaml\n# (\S+)\n(.*?)```", README, re.DOTALL):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    assert "all right" in rules(tmp_path, "check")
    assert "1 held" in rules(tmp_path, "test")


def rules(folder: Path, command: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "rules", command, "my-rules"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
