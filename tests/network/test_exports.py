"""The package's front: what it exports, and that headers and names need no torch."""

from __future__ import annotations

import subprocess
import sys

from facemt_analysis import network


def test_every_export_is_there_and_documented():
    assert network.__all__ == sorted(network.__all__, key=lambda n: (not n.isupper(), n))
    for name in network.__all__:
        value = getattr(network, name)
        assert name in dir(network)
        if callable(value):
            assert value.__doc__, name


def test_the_package_and_what_needs_no_weights_load_no_torch():
    script = (
        "import sys\nfrom facemt_analysis.network import (CONVENTIONS, WEIGHTS, ModelConfig,\n"
        "    conventions_for, oriented, read_header, resolve_weights)\n"
        "ModelConfig.v25()\n"
        "print([m for m in ('torch', 'timm', 'torchvision', 'huggingface_hub') "
        "if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"
