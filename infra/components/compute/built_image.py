"""An image built from a folder and kept in a repository of its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

_LAST_BUILDS = {
    "rulePriority": 1,
    # A build is up to three entries: its index, the image, and how it was built.
    "description": "The last ten builds; the newest is the one that runs",
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 30},
    "action": {"type": "expire"},
}


@dataclass(frozen=True, kw_only=True)
class BuiltImageArgs:
    """What an image needs to know."""

    context: Path
    fingerprint: str
    """Names what a build sees of the context; kept as the image's revision."""

    is_protected: bool
    """Whether the repository refuses to be deleted while images lie in it."""

    cache: Literal["builder", "github"]
    """Where layers are kept between builds."""

    dockerfile: Path | None = None
    """`None` is the context's own `Dockerfile`."""

    stage: str | None = None
    """`None` is the last stage."""

    build_arguments: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What stands behind names that `FROM` uses: images by digest."""


class BuiltImage(pulumi.ComponentResource):
    """An image in a scanned repository, pushed by digest.

    Without a tag: a tag that never moves is refused when the same content is built again, which
    gives another digest, as on the way back to an earlier version.
    """

    ref: pulumi.Output[str]
    """The image by digest."""

    def __init__(
        self, name: str, args: BuiltImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:BuiltImage", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        repository = aws.ecr.Repository(
            f"{name}-repository",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            force_delete=not args.is_protected,
            opts=child,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=json.dumps({"rules": [_LAST_BUILDS]}),
            opts=child,
        )
        image = docker_build.Image(
            f"{name}-image",
            context={
                "location": _from_here(args.context),
                "named": {
                    base: {"location": pulumi.Output.concat("docker-image://", ref)}
                    for base, ref in args.bases.items()
                },
            },
            dockerfile={"location": _from_here(args.dockerfile or args.context / "Dockerfile")},
            target=args.stage,
            build_args=args.build_arguments,
            platforms=[docker_build.Platform.LINUX_AMD64],
            labels={"org.opencontainers.image.revision": args.fingerprint},
            exports=[{"registry": {"names": [repository.repository_url], "push_by_digest": True}}],
            push=False,  # that would ask for a tag; the export pushes
            build_on_preview=False,
            cache_from=[{"gha": {"scope": name}}] if args.cache == "github" else [],
            cache_to=_cache_to(name) if args.cache == "github" else [],
            registries=[_login(repository, pulumi.InvokeOptions(parent=self))],
            opts=child,
        )
        self.ref = pulumi.Output.concat(repository.repository_url, "@", image.digest)
        self.register_outputs({"ref": self.ref})


def _from_here(path: Path) -> str:
    # An absolute path would build everything again, and replace all pods, from another checkout.
    return os.path.relpath(path)


def _cache_to(scope: str) -> list[docker_build.CacheToArgsDict]:
    mode = docker_build.CacheMode.MAX  # the layers of all stages
    return [{"gha": {"scope": scope, "mode": mode, "ignore_error": True}}]


def _login(
    repository: aws.ecr.Repository, opts: pulumi.InvokeOptions
) -> docker_build.RegistryArgsDict:
    login = aws.ecr.get_authorization_token_output(registry_id=repository.registry_id, opts=opts)
    return {
        "address": repository.repository_url,
        "username": login.user_name,
        "password": pulumi.Output.secret(login.password),
    }
