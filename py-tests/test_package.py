import zipfile
from importlib.metadata import version
from pathlib import Path

import reseal

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_names_no_folder_of_the_machine_that_built_it() -> None:
    [wheel] = (ROOT / "target/wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            for folder in (ROOT, Path.home() / ".cargo", Path.home() / ".rustup"):
                assert str(folder).encode() not in content, (name, folder)


def test_the_wheel_says_what_is_inside() -> None:
    [wheel] = (ROOT / "target/wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [info] = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        for paper in ("LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY.txt"):
            assert (
                archive.read(f"{info}/licenses/{paper}") == (ROOT / "python" / paper).read_bytes()
            )
        bill = archive.read(f"{info}/sboms/sbom.cdx.json")
        assert bill == (ROOT / "python/sbom.cdx.json").read_bytes()


def test_the_module_has_the_version_of_the_package() -> None:
    assert reseal.__version__ == version("reseal")
