"""Who may import whom: the contracts in pyproject.toml hold, and leave nothing out."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_import_contracts_hold(tmp_path: Path) -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--cache-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_contract_module_without_marshmallow_is_held_to_that() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = next(contract for contract in contracts if contract["id"] == "dataclasses")["source_modules"]
    folder = ROOT / "shared" / "contracts"
    plain = {
        f"shared.contracts.{path.stem}"
        for path in folder.glob("*.py")
        if not path.stem.endswith(("__init__", "_schema")) and "marshmallow" not in _imported(path)
    }
    assert plain == set(held)


def test_the_door_of_the_contracts_stays_empty() -> None:
    assert (ROOT / "shared" / "contracts" / "__init__.py").read_text() == ""


def test_no_channel_needs_another() -> None:
    channels = ROOT / "services" / "notify" / "channels"
    folders = [folder for folder in channels.iterdir() if (folder / "sender.py").is_file()]
    assert len(folders) > 1
    for folder in folders:
        source = "".join(path.read_text() for path in folder.rglob("*.py"))
        others = {other.name for other in folders} - {folder.name}
        assert not [
            other for other in others if f"channels.{other}" in source or f"channels import {other}" in source
        ]


def _imported(path: Path) -> set[str]:
    """Top-level names of what the module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
