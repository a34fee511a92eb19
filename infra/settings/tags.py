"""Tags that AWS takes on every resource."""

import unicodedata
from collections.abc import Mapping

MOST_TAGS = 35
"""AWS takes 50 on a resource. The platform, EKS and Karpenter put up to 15 of them on machines."""

OWN_TAGS = ("Project", "Environment")
"""What the stack tags everything with, unless it is told another value."""

_KEY_LENGTH, _VALUE_LENGTH = 128, 256
_SIGNS = frozenset("_.:/=+-@")
_KINDS = ("L", "N", "Z")
"""Of letters, numbers and blanks, in the classes of Unicode."""


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return `tags` if AWS takes them.

    Raises:
        ValueError: it does not; the text names the tag and the reason.
    """
    if len(tags) > MOST_TAGS:
        raise ValueError(f"{len(tags)} tags are more than the {MOST_TAGS} that there is room for")
    seen = {name.casefold(): name for name in OWN_TAGS}
    for key, value in tags.items():
        if reason := _refusal(key, value):
            raise ValueError(f"AWS refuses the tag {key!r}: {reason}")
        if (same := seen.setdefault(key.casefold(), key)) != key:
            raise ValueError(f"IAM takes the tags {same!r} and {key!r} for one: write them alike")
    return dict(tags)


def _refusal(key: str, value: str) -> str | None:
    if not 1 <= len(key) <= _KEY_LENGTH:
        return f"a key has 1 to {_KEY_LENGTH} characters"
    if len(value) > _VALUE_LENGTH:
        return f"a value has at most {_VALUE_LENGTH} characters"
    if key.lower().startswith("aws:"):
        return "keys that begin with aws: are AWS's own"
    for name, text in (("key", key), ("value", value)):
        if odd := {sign for sign in text if not _is_taken(sign)}:
            shown = " ".join(sorted(odd))
            return f"its {name} has {shown!r}; letters, numbers, blanks and _.:/=+-@ are taken"
    return None


def _is_taken(sign: str) -> bool:
    return sign in _SIGNS or unicodedata.category(sign).startswith(_KINDS)
