"""Where an input lies."""

import pytest

from penstock.dialects.sagemaker.input_location import read_input_location


@pytest.mark.parametrize(
    "uri",
    [
        "s3://inputs/a/b c.json",
        "https://inputs.s3.amazonaws.com/a/b%20c.json",
        "https://inputs.s3.eu-central-1.amazonaws.com/a/b%20c.json",
        "https://inputs.s3-eu-west-1.amazonaws.com/a/b%20c.json",
        "https://inputs.s3.dualstack.us-east-1.amazonaws.com/a/b%20c.json",
        "https://inputs.s3.cn-north-1.amazonaws.com.cn/a/b%20c.json",
        "https://s3.amazonaws.com/inputs/a/b%20c.json",
        "https://inputs.s3.us-east-1.amazonaws.com/a/b+c.json",
        "https://Inputs.S3.EU-Central-1.amazonaws.com:443/a/b+c.json",
        "https://s3.eu-central-1.amazonaws.com/inputs/a/b%20c.json",
    ],
)
def test_every_way_to_name_an_object_means_the_same(uri: str) -> None:
    assert read_input_location(uri).uri == "s3://inputs/a/b c.json"


def test_a_bucket_may_have_dots() -> None:
    found = read_input_location("https://my.in.puts.s3.eu-west-1.amazonaws.com/k")
    assert found.uri == "s3://my.in.puts/k"


def test_a_plus_sign_of_a_key_is_percent_encoded_in_a_url_and_itself_in_a_uri() -> None:
    assert read_input_location("https://inputs.s3.us-east-1.amazonaws.com/a%2Bb").key == "a+b"
    assert read_input_location("s3://inputs/a+b").key == "a+b"


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("s3://inputs", "no object"),
        ("s3://inputs/", "no object"),
        ("s3://In_puts/k", "no object"),
        ("https://inputs.s3.amazonaws.com/", "no object"),
        ("https://s3.amazonaws.com/inputs", "no object"),
        ("https://example.com/inputs/k", "example.com is no host of S3"),
        ("https://inputs.s3.amazonaws.com.example.com/k", "no host of S3"),
        ("https://user@inputs.s3.amazonaws.com/k", "no host of S3"),
        ("https://inputs.s3.amazonaws.com:8443/k", "no host of S3"),
        ("https://a-1.s3-accesspoint.us-east-1.amazonaws.com/k", "no host of S3"),
        ("https://inputs.s3.amazonaws.com/k?X-Amz-Signature=1", "presigned"),
        ("https://inputs.s3.amazonaws.com/k?AWSAccessKeyId=A&Signature=1&Expires=2", "presigned"),
        ("https://inputs.s3.amazonaws.com/k?versionId=3", "a version cannot be named"),
        ("https://inputs.s3.amazonaws.com/k#part", "%23"),
        ("https://inputs.s3.amazonaws.com/k?part", "%3F"),
        ("https://[inputs/k", "no URL"),
    ],
)
def test_what_names_no_object_is_refused_with_what_to_write(uri: str, says: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/key") as refused:
        read_input_location(uri)
    assert says in str(refused.value)
