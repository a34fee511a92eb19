"""An image built from a folder and kept in a repository of its own."""

import json
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

_UNTAGGED = {
    "rulePriority": 1,
    "description": "Layers that no tag needs any more",
    "selection": {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    },
    "action": {"type": "expire"},
}


@dataclass(frozen=True, kw_only=True)
class BuiltImageArgs:
    """What an image needs to know."""

    context: Path
    tag: str
    """Named by the content: a tag never moves, so equal tags must mean equal images."""

    is_protected: bool
    """Whether the repository refuses to be deleted while images lie in it."""

    dockerfile: Path | None = None
    """`None` is the context's own `Dockerfile`."""

    stage: str | None = None
    """`None` is the last stage."""


class BuiltImage(pulumi.ComponentResource):
    """An image in a scanned repository whose tags never move."""

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
            policy=json.dumps({"rules": [_UNTAGGED]}),
            opts=child,
        )
        login = aws.ecr.get_authorization_token_output(
            registry_id=repository.registry_id, opts=pulumi.InvokeOptions(parent=self)
        )
        image = docker_build.Image(
            f"{name}-image",
            context={"location": str(args.context)},
            dockerfile={"location": str(args.dockerfile or args.context / "Dockerfile")},
            target=args.stage,
            platforms=[docker_build.Platform.LINUX_AMD64],
            tags=[pulumi.Output.concat(repository.repository_url, ":", args.tag)],
            push=True,
            build_on_preview=False,
            registries=[
                {
                    "address": repository.repository_url,
                    "username": login.user_name,
                    "password": pulumi.Output.secret(login.password),
                }
            ],
            opts=child,
        )
        self.ref = image.ref
        self.register_outputs({"ref": self.ref})
