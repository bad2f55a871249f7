"""Start `evenhand` again and again without importing it again: a process that forks one child per command.

Reads a line of JSON from stdin: a list of arguments starts a child and prints its pid; a pid waits for the end of that
child and prints its exit code (-9 if it was killed). A child is not reaped before that, so its pid stays its own.
"""

import gc
import json
import os
import sys
from importlib import import_module
from pathlib import Path

LATER = (
    "evenhand.verbs", "evenhand.cli.run", "evenhand.cli.tables", "analysis.report", "openai.resources.chat",
    "instructor.v2.providers.openai", "genai_prices.data", "docstring_parser", "httpcore2", "requests",
    "encodings.idna",
)  # fmt: skip
"""What the verb imports once it is called."""


def main(log: Path) -> None:
    """Serve until stdin ends; what the children say goes to `log`."""
    cli = import_module("evenhand.cli")
    for module in LATER:
        import_module(module)
    gc.freeze()  # a child's collector need not walk through all of this
    for line in sys.stdin:
        command = json.loads(line)
        if isinstance(command, int):
            print(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]), flush=True)  # noqa: T201
            continue
        pid = os.fork()
        if pid == 0:
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.argv = ["evenhand", *command]
            cli.main()
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
