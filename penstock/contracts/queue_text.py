"""The characters that travel through SQS and SNS, and how to say the others.

SQS takes what XML 1.0 takes, so no U+FFFE and U+FFFF, which texts out of PDFs contain.
"""

import re

_REFUSED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def travels(text: str) -> bool:
    """Whether SQS takes `text`."""
    return _REFUSED.search(text) is None


def travelling_json(text: str) -> str:
    """Return the same JSON with escapes for characters that would be refused."""
    # They can only stand in strings, and none lies beyond the four digits of an escape.
    return _REFUSED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def travelling_text(text: str) -> str:
    """Return a text that is only read by people, with U+FFFD for what would be refused."""
    return _REFUSED.sub("\ufffd", text)
