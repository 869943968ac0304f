from importlib.metadata import version

import reseal


def test_the_module_has_the_version_of_the_package() -> None:
    assert reseal.__version__ == version("reseal")
