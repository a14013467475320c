"""The wheel owns three names and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    script = "import hatchling.build, sys; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_three_packages_with_their_types(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"adcli", "adcli_methods", "adcli_benchmarks"}
    for package in ("adcli", "adcli_methods", "adcli_benchmarks"):
        assert f"{package}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_an_installed_wheel_leaves_common_names_free(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = """
import importlib.util, sys
sys.path.insert(0, sys.argv[1])
import adcli, adcli_methods, adcli_benchmarks
taken = []
for name in ("methods", "benchmarks", "tests", "results"):
    spec = importlib.util.find_spec(name)
    if spec is not None and any(sys.argv[1] in place for place in spec.submodule_search_locations or [spec.origin]):
        taken.append(name)
print(taken)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.strip() == "[]", ran.stderr
