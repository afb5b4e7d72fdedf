"""The scripts around wheels: what check_wheel finds amiss, what offline keeps away, what test_installed takes along."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import check_wheel, offline, test_installed

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = [sys.executable, str(ROOT / "tools" / "offline.py")]
CORE = "tauten/_core.cpython-311-x86_64-linux-gnu.so"
DESCRIPTION = "tauten-0.1.0.dist-info/"
GOOD = [
    CORE,
    "tauten.libs/libgomp-a34b3233.so.1.0.0",
    *(f"tauten/{name}" for name in check_wheel.NEEDED),
    *(f"{DESCRIPTION}{name}" for name in ("METADATA", "RECORD", "sboms/auditwheel.cdx.json")),
    *(f"{DESCRIPTION}licenses/{name}" for name in check_wheel.LICENCES),
]
PACKAGE = {f"tauten/{name}" for name in check_wheel.NEEDED}


def test_good_wheel():
    assert check_wheel.misplaced(GOOD, PACKAGE) == []


@pytest.mark.parametrize(
    ("gone", "fault"),
    [
        ("tauten/py.typed", "tauten/py.typed is missing"),
        ("tauten/_core.pyi", "tauten/_core.pyi is missing"),
        ("tauten/data/digits.npz", "tauten/data/digits.npz is missing"),
        (f"{DESCRIPTION}licenses/LICENSE-libgomp.txt", "the licence LICENSE-libgomp.txt is missing"),
        (CORE, "there is not one tauten/_core"),
    ],
)
def test_missing_file(gone: str, fault: str):
    assert fault in check_wheel.misplaced([name for name in GOOD if name != gone], PACKAGE)


@pytest.mark.parametrize(
    "name",
    [
        "tests/python/test_cpp.py",
        "tauten/tests/test_cpp.py",
        "tauten/core/team.cpp",
        "tauten/__pycache__/ops.cpython-311.pyc",
        "tauten.libs/libstdc++-1.so.6",
    ],
)
def test_file_that_does_not_belong(name: str):
    assert check_wheel.misplaced([*GOOD, name], PACKAGE) == [f"{name} does not belong here"]


def test_two_extensions():
    other = CORE.replace("311", "312")
    assert check_wheel.misplaced([*GOOD, other], PACKAGE) == ["there is not one tauten/_core"]


def test_paths_of_the_build_machine():
    """In the binary's bytes, wherever they are; /tmp alone may be there."""
    content = b"\0/home/me/src/team.cpp\0/tmp/pip-build.1/csrc\0/tmp/%s\0" + str(ROOT).encode()
    found = {fault.removeprefix("core has the path ").split()[0] for fault in check_wheel.left_behind("core", content)}
    assert {"/home/me/src/team.cpp", "/tmp/pip-build.1/csrc", str(ROOT)} <= found
    assert check_wheel.left_behind("core", b"/tmp/%s /usr/lib/libm.so /proc/self/cgroup") == []


def test_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wheel = tmp_path / "tauten.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(CORE, bytes(3000))
    monkeypatch.setattr(check_wheel, "MOST_MB", 0.003)
    assert any("more than 0.003" in fault for fault in check_wheel.faults(wheel))
    monkeypatch.setattr(check_wheel, "MOST_MB", 0.004)
    assert not any("more than" in fault for fault in check_wheel.faults(wheel))


def test_sources_of_a_package(tmp_path: Path):
    package = tmp_path / "tauten"
    for name in ("ops.py", "_core.so", "data/digits.npz", "__pycache__/ops.cpython-311.pyc"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    assert check_wheel.sources(package) == {"tauten/ops.py", "tauten/data/digits.npz"}


def test_tests_go_without_sources(tmp_path: Path):
    test_installed.copy(ROOT, tmp_path)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {f"tests/python/{name}" for name in test_installed.QUICK} <= there
    assert "README.md" in there and "docs/gallery.md" in there
    assert not any(name.startswith(("python/", "csrc/", "CMakeLists")) for name in there)


def test_package_in_a_tree_is_not_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(test_installed, "where", lambda folder: ROOT / "python" / "tauten")
    assert test_installed.main([]) == 1


CONNECT = """
import socket
try:
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname()).close()
except OSError as error:
    print("refused", type(error).__name__)
else:
    print("connected")
"""
LOOK_UP = """
import socket
try:
    socket.getaddrinfo("127.0.0.1", 80)
except OSError as error:
    print("refused", error)
"""
LOCAL = """
import socket
a, b = socket.socketpair()
a.sendall(b"x")
print(b.recv(1))
"""


def printed(command: list[str], code: str) -> str:
    return subprocess.run([*command, sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_network_is_there_otherwise():
    """Else the next ones would show nothing: it is there unless these tests run without one, as in CI."""
    assert printed([], CONNECT).split()[0] == ("refused" if "TAUTEN_OFFLINE" in os.environ else "connected")


@pytest.mark.parametrize("how", [[], ["--python"]], ids=["best", "python"])
def test_offline_refuses_connections(how: list[str]):
    assert "refused" in printed([*OFFLINE, *how], CONNECT)
    assert "b'x'" in printed([*OFFLINE, *how], LOCAL)


def test_offline_refuses_names_to_python():
    assert "no network here" in printed([*OFFLINE, "--python"], LOOK_UP)


@pytest.mark.skipif(not offline.own_network(), reason="this system gives no process a network of its own")
def test_offline_keeps_other_programs_away_too():
    done = subprocess.run([*OFFLINE, "cat", "/proc/net/route"], check=True, capture_output=True, text=True)
    assert len(done.stdout.splitlines()) <= 1  # the heading


def test_offline_exits_as_its_command():
    assert subprocess.run([*OFFLINE, sys.executable, "-c", "raise SystemExit(7)"]).returncode == 7


@pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="CI's script is not here")
def test_ci_runs_what_the_readme_says():
    """Commands of README's first block, and its test command; that README has them still, CI itself looks at."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = re.findall(r"^    (tauten .*?)(?:  +#.*)?$", readme, re.M)
    assert len(commands) >= 2
    for command in commands:
        assert f'readme "{command}"' in script
    assert re.search("^Test it: `(.*)`$", readme, re.M)[1] in script
