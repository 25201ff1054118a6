"""What we sign, Standard Webhooks' own JavaScript library verifies."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.channels.webhook.sender import signatures
from shared.contracts.subscriptions import Secret
from tests.notify.conftest import SECRET

VERIFIERS = Path(__file__).parents[2] / ".cache" / "verifiers" / "node_modules"
OLD = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZC0="
SCRIPT = """
const { Webhook } = require("standardwebhooks");
const { secret, body, headers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
try { new Webhook(secret).verify(body, headers); console.log("verified"); }
catch (error) { console.log("refused: " + error.message); }
"""


def verdict(secret: str, body: str, signature: str, at: datetime) -> str:

    headers = {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    run = subprocess.run(
        ["node", "-e", SCRIPT],
        input=json.dumps({"secret": secret, "body": body, "headers": headers}),
        env={"NODE_PATH": str(VERIFIERS), "PATH": str(Path(shutil.which("node") or "").parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def javascript() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (VERIFIERS / "standardwebhooks").is_dir():
        pytest.skip(f"no standardwebhooks in {VERIFIERS}; `make .cache/verifiers` installs it")


def test_javascript_verifies_either_secret_and_no_other_body() -> None:
    at = datetime.now(UTC)
    body = '{"data":{"title":"Zoë ran — 3 km"}}'
    signature = signatures((Secret(SECRET), Secret(OLD)), "dlv_1", at, body)
    assert verdict(SECRET, body, signature, at) == "verified"
    assert verdict(OLD, body, signature, at) == "verified"
    assert verdict(SECRET, body.replace("3", "9"), signature, at).startswith("refused")
    assert verdict("whsec_" + "A" * 32, body, signature, at).startswith("refused")
