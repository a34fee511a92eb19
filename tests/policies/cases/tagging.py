import json
from typing import Any

from tests.policies.cases.case import fails, passes, resource
from tests.policies.servicer import Given

TAGS = {"Project": "penstock", "Environment": "dev", "Owner": "ml"}


def queue(tags: dict[str, Any], **by_default: str) -> Given:
    provider = {"defaultTags": json.dumps({"tags": by_default})}
    return resource("sqs/queue", "work", tags=tags)._replace(provider=provider)


CASES = [
    passes("required-tags", "its own", queue(TAGS)),
    passes("required-tags", "its provider's", queue({}, **TAGS)),
    passes("required-tags", "some of each", queue({"Owner": "ml"}, Project="p", Environment="e")),
    passes("required-tags", "nothing to tag", resource("iam/rolePolicy", "p", policy="{}")),
    passes("required-tags", "by config", queue({"Team": "ml"}), config={"required": ["Team"]}),
    fails(
        "required-tags",
        "left out, and not to be remedied here",
        queue({}),
        says="add the tags Project",
        config={"owner": "ml"},
    ),
    fails("required-tags", "none", queue({}), says="add the tags Project, Environment, Owner"),
    fails(
        "required-tags",
        "left empty",
        queue({**TAGS, "Owner": " "}),
        says="work: add the tags Owner",
    ),
]
