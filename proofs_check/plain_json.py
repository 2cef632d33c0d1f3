"""JSON that every parser reads: what is not finite becomes null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def finite(value: float) -> float | None:
    """Return the value, or None where JSON has no way to say it.

    Examples
    --------
    >>> finite(0.5), finite(math.inf)
    (0.5, None)
    """
    return float(value) if math.isfinite(value) else None


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, float):
        return finite(data)
    return data


def dumps(data: Any) -> str:
    """Return indented JSON text, with null for NaN and infinities.

    Examples
    --------
    >>> print(dumps([{"slack": math.inf}]))
    [
      {
        "slack": null
      }
    ]
    """
    return json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)
