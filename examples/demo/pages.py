"""The scanned pages that are read."""

from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

_SAMPLES = {
    "skimage/data/page.png": "Let us first determine markers",
    "skimage/data/text.png": None,
}
_IMAGE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


class NoPagesError(Exception):
    """There is nothing to read; the text says where it was looked for."""


@dataclass(frozen=True)
class Page:
    """One image of a page."""

    name: str
    image: bytes
    known_text: str | None = None
    """Words that are on the page: reading must find them."""


def sample_pages() -> list[Page]:
    """Return the two scans that the installed scikit-image carries.

    Raises:
        NoPagesError: this version does not carry them.
    """
    package = distribution("scikit-image")
    carried = {str(file): file for file in package.files or ()}
    if missing := _SAMPLES.keys() - carried:
        raise NoPagesError(f"scikit-image {package.version} lacks {', '.join(sorted(missing))}")
    return [
        Page(carried[path].name, Path(str(carried[path].locate())).read_bytes(), known_text)
        for path, known_text in _SAMPLES.items()
    ]


def pages_in(folder: Path) -> list[Page]:
    """Return every image in `folder`.

    Raises:
        NoPagesError: it is no folder, or has no images.
    """
    if not folder.is_dir():
        raise NoPagesError(f"{folder} is no folder")
    found = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in _IMAGE_SUFFIXES]
    if not found:
        raise NoPagesError(f"{folder} has no images ({', '.join(sorted(_IMAGE_SUFFIXES))})")
    return [Page(file.name, file.read_bytes()) for file in found]
