"""What the model server of a deployment is made from, and how the dispatcher speaks to it."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from infra.settings.image_settings import PinnedImage
from infra.settings.settings import Settings

Preset = Literal["truss", "sagemaker", "http"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OWN_PORT = 9_090
_TRUSS_PORT = "INFERENCE_SERVER_PORT"
_HTTP_ONLY = ("predict_path", "health_path", "port")


def free_variable(name: str) -> str:
    """Return `name` if a model server may be given a variable of this name.

    Raises:
        ValueError: it may not.
    """
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an environment variable")
    if name.startswith("PENSTOCK_"):
        raise ValueError(f"{name}: names that begin with PENSTOCK_ are the platform's own")
    return name


def truss_variable(name: str) -> str:
    """Return `name` if a Truss server may be given a variable of this name.

    Raises:
        ValueError: it may not.
    """
    if name == _TRUSS_PORT:
        raise ValueError(f"{name}: the Truss server listens on 8080, where its pod looks for it")
    return free_variable(name)


def _free_port(port: int) -> int:
    if port == _OWN_PORT:
        raise ValueError(f"{port} is the dispatcher's own")
    return port


UrlPath = Annotated[str, Field(pattern=r"^/[!-\"$->@-~]*$", max_length=512)]
"""From the first slash on, without query and fragment."""


class ModelServerSettings(Settings):
    """A model server. Exactly one of `truss`, `container` and `image` is given."""

    truss: str | None = None
    """A Truss directory, relative to the repository's root."""

    container: str | None = None
    """A directory with a Dockerfile, relative to the repository's root."""

    image: PinnedImage | None = None
    """A ready image, by digest."""

    preset: Preset | None = None
    """What the server is asked: `truss` as the Truss server, `sagemaker` as a SageMaker container
    (`POST /invocations`, `GET /ping`, port 8080), `http` at the paths and the port given here.
    A Truss directory needs none."""

    predict_path: UrlPath | None = None
    """Where preset `http` takes predictions; absent: `/`."""

    health_path: UrlPath | None = None
    """What preset `http` answers with 200 when it is ready; absent: it is ready when it listens."""

    port: Annotated[int, Field(ge=1_024, le=65_535), AfterValidator(_free_port)] | None = None
    """Where preset `http` listens; absent: 8080."""

    args: tuple[str, ...] = ()
    """What the entry point of `container` or `image` is given instead of its own arguments.
    SageMaker itself gives `serve`."""

    environment_variables: dict[Annotated[str, AfterValidator(free_variable)], str] = Field(
        default_factory=dict
    )
    """Given to the model server, as they are. They go before those of the same name in the
    `config.yaml` of a Truss directory, and these before the image's. Not for secrets: they would
    lie in this file and in etcd."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if [self.truss, self.container, self.image].count(None) != 2:  # noqa: PLR2004 - of three
            raise ValueError("give exactly one of truss, container and image")
        return self

    @model_validator(mode="after")
    def _says_what_it_speaks(self) -> Self:
        if self.truss is not None:
            if self.preset not in {None, "truss"} or self.args:
                raise ValueError(
                    "a Truss directory runs on the Truss server: leave out preset, args"
                )
        elif self.preset is None:
            raise ValueError("say what the server speaks: preset truss, sagemaker or http")
        given = [name for name in _HTTP_ONLY if getattr(self, name) is not None]
        if given and self.preset != "http":
            raise ValueError(f"{', '.join(given)}: only for preset http, the others know")
        if self.speaks == "truss":
            for name in self.environment_variables:
                truss_variable(name)
        return self

    @property
    def speaks(self) -> Preset:
        """The preset, also where none needs to be said."""
        return self.preset or "truss"
