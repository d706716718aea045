"""``python -m facemt_analysis.cli``."""

from __future__ import annotations

import sys

from facemt_analysis.cli.entry import main

sys.exit(main())
