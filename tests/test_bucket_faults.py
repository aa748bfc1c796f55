"""A bucket that is another's, says no, or is away: what a hub makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubtl.server.hub import Policy, TeamHub, open_hub
from hubtl.server.upkeep import Upkeep

from . import buckets
from .buckets import S3Server

bucket = buckets.bucket
PLACE = "s3://hub/contents"


@pytest.fixture
def hub(bucket: S3Server, tmp_path: Path) -> Iterator[TeamHub]:
    made = open_hub(tmp_path / "hub", Policy(retention=0.0), bucket=PLACE)
    yield made
    made.close()


def test_upkeep_that_fails_is_told_in_a_line_and_not_tried_again_at_once(
    hub, bucket, caplog, monkeypatch
):
    monkeypatch.setattr("hubtl.server.upkeep.EVERY", 0.01)
    bucket.kill()

    async def works_until_it_was_told() -> None:
        async with Upkeep(hub).running():
            until = time.monotonic() + 60
            while not caplog.records and time.monotonic() < until:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)

    asyncio.run(works_until_it_was_told())
    (told,) = (each for each in caplog.records if each.name == "hubtl.server")
    assert told.getMessage().startswith(f"upkeep failed: `{PLACE}` does not answer")
    assert told.exc_info is None
