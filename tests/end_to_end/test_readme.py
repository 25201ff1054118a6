"""The README's own commands, run as they stand: a newcomer gets from clone to real advice."""

import re
from pathlib import Path

import pytest

from deploy.embedded import free_port
from tests.docs.pages import ROOT
from tests.docs.terminal import reader, terminal

README = (ROOT / "README.md").read_text()
FIRST_STEPS = README.partition("## From clone to advice")[2].partition("## For the integration engineer")[0]
pytestmark = pytest.mark.timeout(180)


def shell_blocks(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


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
    environ = reader(tmp_path)
    with terminal(ROOT, environ) as first, terminal(ROOT, environ) as second:
        first.type(up.replace("tandem up", f"tandem up --port {port}"))
        first.until(f"ready on http://127.0.0.1:{port}")
        second.type(subscribe + train)
        told = second.until("advice.issued  ana  ")
        assert '"accepted":2' in told.replace(" ", "")
        second.type(read)
        assert '"no-sprint-after-strength"' in second.until('"no-sprint-after-strength"')
