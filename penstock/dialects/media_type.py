"""What a content type says about bytes."""


def is_json(content_type: str) -> bool:
    """Whether bytes of this type are JSON text."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
