"""Look the installed packages up in the advisories that can be reached: fail on a finding, say what was not looked at.

    .venv/bin/python .ci/audit.py

pip-audit alone ends well where an index serves no advisories: every package is "skipped", and nothing was audited. So
each service is first asked about a package that is known to be vulnerable, and only one that knows it is relied on.
Exit code: 0 nothing found (or nobody to ask, which is said), 1 a known vulnerability.
"""

# ruff: noqa: S603, T201

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SERVICES = ("osv", "pypi")
KNOWN = "jinja2==2.11.2"
"""CVE-2020-28493."""
IGNORED: dict[str, str] = {}
"""Advisory → why it does not concern us; an entry goes when the fix is out."""


def asked(service: str, *arguments: str) -> list[dict[str, Any]]:
    """Return what `service` says of every package; nothing if it cannot be reached."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", "15", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        return []


def knows(service: str) -> bool:
    """Whether `service` can be reached and serves advisories."""
    with tempfile.TemporaryDirectory() as aside:
        pinned = Path(aside) / "requirements.txt"
        pinned.write_text(KNOWN + "\n", "utf-8")
        return any(one.get("vulns") for one in asked(service, "-r", str(pinned), "--no-deps", "--disable-pip"))


def main() -> int:
    """Ask, tell, and return the exit code."""
    service = next((one for one in SERVICES if knows(one)), None)
    if service is None:
        print(f"audit: NOT DONE. None of {', '.join(SERVICES)} serves advisories here; run it where one does.")
        return 0
    packages = asked(service, "--skip-editable")
    audited = [one for one in packages if "vulns" in one]
    bad = [(one, vuln) for one in audited for vuln in one["vulns"] if vuln["id"] not in IGNORED]
    for one, vuln in bad:
        print(f"audit: {one['name']} {one['version']}: {vuln['id']}, fixed in {', '.join(vuln['fix_versions'])}")
    print(f"audit: {len(audited)} of {len(packages)} packages looked up at {service}, {len(bad)} findings.")
    return 1 if bad or not audited else 0


if __name__ == "__main__":
    sys.exit(main())
