"""A bucket that is another's, says no, or is away: what a hub makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubtl.registry.errors import Refused
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


def test_no_two_hubs_share_a_bucket_unless_they_are_one(hub, tmp_path):
    with pytest.raises(Refused) as refused:
        open_hub(tmp_path / "other", bucket=PLACE)
    assert refused.value.message == f"the bucket `{PLACE}` is another hub's"
    for folder, place in ((tmp_path / "other", f"{PLACE}/2"), (hub.folder, PLACE)):
        open_hub(folder, bucket=place).close()


def test_a_bucket_of_the_same_name_elsewhere_is_not_taken_for_the_hubs_own(hub, bucket):
    with bucket.stopped() as folder:
        folder.rename(folder.with_name("elsewhere"))
        folder.mkdir()
    with pytest.raises(Refused) as refused:
        open_hub(hub.folder, bucket=PLACE)
    assert refused.value.message == f"`{PLACE}` has nothing of this hub, whose contents were there"
    assert bucket.objects() == {}
