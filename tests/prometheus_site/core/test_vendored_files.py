"""Every file under static/vendor is listed in VENDORED.md, and is the file that was listed."""

import hashlib
import re
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[3] / "static" / "vendor"
LIST = VENDOR / "VENDORED.md"
ROW = re.compile(r"^\| `(?P<file>[^`]+)` \|(?: [^|]+ \|){4} `(?P<sha256>[0-9a-f]{64})` \|$")
LISTED = {row["file"]: row["sha256"] for line in LIST.read_text().splitlines() if (row := ROW.match(line))}
PRESENT = sorted(
    path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file() and path != LIST
)


def test_list_and_folder_name_the_same_files() -> None:
    assert sorted(LISTED) == PRESENT


@pytest.mark.parametrize("name", PRESENT)
def test_file_is_the_one_listed(name: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == LISTED.get(name)


def test_every_table_row_is_readable() -> None:
    rows = [line for line in LIST.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) == len(LISTED) > 0


@pytest.mark.parametrize("folder", sorted({Path(name).parts[0] for name in PRESENT}))
def test_each_package_brings_its_licence(folder: str) -> None:
    assert list((VENDOR / folder).glob("LICENSE*"))
