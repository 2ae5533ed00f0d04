"""JSON that any terminal and any encoding can hold."""

import json
import re

_UNSAFE = re.compile("[\x7f-\x9f\ud800-\udfff]")


def json_text(value: object, indent: int | None = None) -> str:
    """JSON in which what no terminal and no UTF-8 should hold is escaped: DEL, C1 controls and lone
    surrogates. It reads as the same value."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
