"""Every reason for a silence is explained to whoever reads it."""

import ast
import re
from pathlib import Path
from typing import get_args

from services.notify.routing import Reason
from services.notify.stages import Dropped

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")


def given() -> set[str]:
    """Every reason that the code names: the declared ones, and those of cancellations and failures."""
    found = set(get_args(Reason)) - {"matched"} | set(get_args(Dropped))
    for path in (ROOT / "services" / "notify").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            named = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            place = {"TransportError": 0, "_cancel": 2}.get(named)
            if place is not None and isinstance(call.args[place], ast.Constant):
                found.add(str(call.args[place].value))  # type: ignore[attr-defined]  # a Constant, by the line above
    return found


def test_the_page_about_channels_explains_every_reason() -> None:
    explained = set(re.findall(r"`([a-z_]+)`", PAGE[PAGE.index("## Reasons") :]))
    assert {"withdrawn_before_sent", "subscription_deleted", "tls_failed"} <= given()
    assert given() <= explained
