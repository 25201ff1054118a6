"""The runner of rule tests: files of timed events and expected advice, on the same engine and nothing else."""

from services.rules.testing.run import run_tests

__all__ = ["run_tests"]
