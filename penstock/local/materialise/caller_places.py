"""Buckets and topics of callers: no stack declares them, so the laptop has to have them."""

from infra.components.pipeline.caller_places import CallerPlaces
from infra.settings.stack_settings import StackSettings
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.registration import MaterialiseError


def make_caller_places(aws: EmulatedAws, settings: StackSettings) -> None:
    """Make what the deployments name.

    Raises:
        MaterialiseError: a topic is said to lie in another account or region.
    """
    places = CallerPlaces.of(settings.deployments)
    for bucket in places.buckets:
        aws.make_bucket(bucket)
    for topic in places.topics:
        made = aws.sns.create_topic(Name=topic.rpartition(":")[2])["TopicArn"]
        if made != topic:
            raise MaterialiseError(
                f"{topic}: the emulated topic of this name is {made}; write that"
            )
