"""The roles of two models' workers reach nothing of each other's requests."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from moto import mock_aws

from infra.artifacts.artifacts import Artifacts
from infra.settings.stack_settings import StackSettings
from penstock.contracts.request_id import fresh_request_id, model_fingerprint
from tests.aws_variables import set_aws_variables
from tests.iam.account import Account, open_account
from tests.iam.evaluation import Access, is_allowed
from tests.iam.processes import MODEL_ROLE

pytestmark = pytest.mark.integration

OCR, ASR = "ocr-v1", "asr-v1"
_MODELS = {OCR: "ocr", ASR: "asr"}


@pytest.fixture(scope="module")
def two_models(all_settings: StackSettings, artifacts: Artifacts) -> Iterator[Account]:
    ocr = all_settings.models["ocr"]
    settings = all_settings.model_copy(update={"models": {"ocr": ocr, "asr": ocr}})
    with pytest.MonkeyPatch.context() as patched, mock_aws():
        set_aws_variables(patched)
        yield open_account(settings, artifacts)


def accesses(account: Account, deployment_id: str) -> Iterator[Access]:
    """Yield what a worker of a deployment may do to the requests of its model."""
    told = account.variables_of_worker(deployment_id)
    model_id = _MODELS[deployment_id]
    fingerprint, request_id = model_fingerprint(model_id), fresh_request_id(model_id)
    access = account.surroundings.access
    region, owner = account.surroundings.region, account.surroundings.account_id
    payloads = f"arn:aws:s3:::{told['PENSTOCK_PAYLOADS_BUCKET']}"
    results = f"arn:aws:s3:::{told['PENSTOCK_RESULTS_BUCKET']}"
    yield access("s3:GetObject", f"{payloads}/payloads/{request_id}/0123456789abcdef")
    for action, folder in {
        "s3:GetObject": "results",
        "s3:PutObject": "results",
        "s3:AbortMultipartUpload": "results",
        "s3:DeleteObject": "failures",
    }.items():
        yield access(action, f"{results}/{folder}/{request_id}")
        yield access(action, f"{results}/{folder}/{fingerprint}/sagemaker/acme/{request_id}.out")
    yield access("s3:ListBucket", results, [("s3:prefix", f"results/{fingerprint}")])
    yield access("s3:ListBucket", payloads, [("s3:prefix", f"payloads/{request_id}/")])
    table = f"arn:aws:dynamodb:{region}:{owner}:table/{told['PENSTOCK_REQUESTS_TABLE']}"
    for action in ("dynamodb:UpdateItem", "dynamodb:BatchGetItem"):
        yield access(action, table, [("dynamodb:LeadingKeys", request_id)])
    for priority in range(3):
        name = told[f"PENSTOCK_QUEUE_URL_P{priority}"].rpartition("/")[2]
        yield access("sqs:ReceiveMessage", f"arn:aws:sqs:{region}:{owner}:{name}")


def refused(account: Account, role_of: str, found: Iterator[Access]) -> list[Access]:
    """Return which of these the role of a deployment's workers may not do."""
    statements = account.roles[f"{role_of}-worker"]
    return [
        access
        for access in found
        if not is_allowed(access, statements, account.policy_of(access.resource))
    ]


@pytest.mark.parametrize(("own", "other"), [(OCR, ASR), (ASR, OCR)])
def test_a_worker_reaches_its_models_requests_and_those_of_no_other(
    two_models: Account, own: str, other: str
) -> None:
    assert refused(two_models, own, accesses(two_models, own)) == []
    theirs = list(accesses(two_models, other))
    assert refused(two_models, own, iter(theirs)) == theirs


def test_a_worker_assumes_the_role_of_its_model_and_no_other(two_models: Account) -> None:
    other = MODEL_ROLE.replace("archive", "archive2")
    assume = [
        two_models.surroundings.access("sts:AssumeRole", role) for role in (MODEL_ROLE, other)
    ]
    assert refused(two_models, OCR, iter(assume)) == assume[1:]


def test_one_foreign_key_in_a_batch_refuses_the_batch(two_models: Account) -> None:
    (batch,) = [
        access for access in accesses(two_models, OCR) if access.action == "dynamodb:BatchGetItem"
    ]
    foreign = ("dynamodb:LeadingKeys", fresh_request_id("asr"))
    mixed = replace(batch, context=(*batch.context, foreign))
    assert refused(two_models, OCR, iter([batch, mixed])) == [mixed]


def test_nobody_lists_what_is_not_its_models(two_models: Account) -> None:
    told = two_models.variables_of_worker(OCR)
    access = two_models.surroundings.access
    listings = [
        access("s3:ListBucket", f"arn:aws:s3:::{told[bucket]}", prefix)
        for bucket in ("PENSTOCK_PAYLOADS_BUCKET", "PENSTOCK_RESULTS_BUCKET")
        for prefix in ([], [("s3:prefix", "")], [("s3:prefix", "results/")])
    ]
    assert refused(two_models, OCR, iter(listings)) == listings
