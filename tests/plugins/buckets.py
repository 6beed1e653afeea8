"""Fixtures of an object store: moto's server over real HTTP, and an empty bucket in it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest


class Bucket:
    """A bucket ``media`` on moto's server, over real HTTP; ``root`` is its address."""

    root = "s3://media"

    def __init__(self, endpoint: str) -> None:
        import boto3

        self.endpoint = endpoint
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")

    def put(self, key: str, content: bytes) -> str:
        """Its address."""
        self.client.put_object(Bucket="media", Key=key, Body=content)
        return f"{self.root}/{key}"

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket="media", Key=key)["Body"].read()
        return content

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket="media", Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="media", Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


@pytest.fixture(scope="session")
def _object_store() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # takes a second to import, which only tests with buckets shall wait

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(_object_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket, and an environment in which ``s3://media`` means it."""
    from s3fs import S3FileSystem

    for name, value in {
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": _object_store,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    made = Bucket(_object_store)
    made.client.create_bucket(Bucket="media")
    S3FileSystem.clear_instance_cache()
    yield made
    S3FileSystem.clear_instance_cache()
    httpx.post(f"{_object_store}/moto-api/reset").raise_for_status()
