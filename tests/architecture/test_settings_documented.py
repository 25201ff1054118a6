"""Every setting reaches the operator: it is in the settings table, and Compose passes it on."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from shared.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = {f"TANDEM_{each.name.upper()}" for each in dataclasses.fields(Settings)}
OF_TANDEM_UP_ALONE = {"TANDEM_DATA_DIR", "TANDEM_RULES_WORKERS"}
"""The embedded store's folder and the size of a process tree mean nothing in containers."""


def compose() -> Any:
    return YAML(typ="safe").load(ROOT / "docker-compose.yml")


def test_every_setting_stands_in_the_operators_table_with_its_default() -> None:
    table = dict(
        re.findall(
            r"^\| `(TANDEM_\w+)` \| `?([^|`]*)`? \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE
        )
    )
    assert set(table) == SETTINGS
    for each in dataclasses.fields(Settings):
        default, told = each.default, table[f"TANDEM_{each.name.upper()}"].strip()
        if default not in (None, ()):
            assert told == (str(default).lower() if isinstance(default, bool) else str(default))


def test_compose_passes_every_setting_on() -> None:
    for part in ("ingest", "rules", "notify", "scheduler"):
        passed = {name for name in compose()["services"][part]["environment"] if name.startswith("TANDEM_")}
        assert {name.removesuffix("_FILE") for name in passed} == SETTINGS - OF_TANDEM_UP_ALONE


def test_every_part_that_compose_runs_is_checked_and_stopped_with_patience() -> None:
    parts = {name: part for name, part in compose()["services"].items() if part.get("image") == "tandem"}
    assert set(parts) == {"ingest", "rules", "notify", "scheduler", "mailcatcher"}
    for part in parts.values():
        assert part["healthcheck"]["test"]
        assert part["stop_grace_period"]
        assert part["read_only"]
        assert part["cap_drop"] == ["ALL"]


def test_the_store_never_evicts_and_keeps_an_append_only_file() -> None:
    command = compose()["services"]["valkey"]["command"]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
