"""Killed with -9 at random moments and taken up again, an ingest ends with everything stored exactly once."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from sqlalchemy import func, select

from ingest.jobs.service import JobService, JobState
from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, planned, unsettled
from search.media import MediaRecord, media_id
from search.settings import Settings
from search.store import open_store

FILES = 600
KILLS = 4
MOST_FILES_A_RUN = 130
"""So few that all runs together cannot come to the end of the folder."""


def count_rows(settings: Settings) -> int:
    ledger = Ledger(settings.ledger_url)
    with ledger.read() as connection:
        rows = connection.execute(select(func.count()).select_from(files)).scalar_one()
    ledger.close()
    return rows


def test_killed_again_and_again(
    make_settings: Callable[..., Settings], fakes: ModuleType, media: Path, repository: Path
) -> None:
    expected = {}
    for i in range(FILES):
        path = media / f"{i % 7}" / f"{i}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"picture {i}")
        expected[media_id(hashlib.sha256(f"picture {i}".encode()).hexdigest())] = (str(path),)
    settings = make_settings()
    source = random.Random(0)
    command = [sys.executable, str(fakes.__file__), str(settings.home), str(media)]
    environment = os.environ | {"PYTHONPATH": str(repository), "LIKEWISE_DATABASE_URL": settings.ledger_url}
    done_at_kill: list[int] = []
    for _ in range(KILLS):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == "1", "a later process takes up the first one's job"
            for _ in range(source.randint(1, MOST_FILES_A_RUN)):
                child.stdout.readline()
            time.sleep(source.uniform(0, 0.005))
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL, "it ended before it could be killed"
        done_at_kill.append(count_rows(settings))
    assert 0 < done_at_kill[-1] < FILES, "the kills came before or after the work, not during it"

    store, ledger = open_store(settings), Ledger(settings.ledger_url)
    try:
        ingest = JobService(settings, store, ledger, fakes.FakeRunner(store))
        assert ingest.unfinished() == ["1"]
        final = ingest.run("1")
        assert final.state is JobState.DONE
        assert (final.total, final.done, final.embedded) == (FILES, FILES, FILES)
        stored = {point.id: MediaRecord.from_payload(point.payload).paths for point in store.scroll("images")}
        assert stored == expected
        assert store.count("images") == FILES
        with ledger.read() as connection:
            rows = connection.execute(select(files.c.media_id, files.c.path, files.c.state)).all()
            assert {row.media_id: (row.path,) for row in rows} == expected
            assert {row.state for row in rows} == {"embedded"}
            assert len(rows) == FILES
            assert connection.execute(select(planned)).all() == connection.execute(select(unsettled)).all() == []
        again = ingest.run(ingest.start([media]))
        assert (again.unchanged, again.embedded) == (FILES, 0)
    finally:
        store.close()
        ledger.close()
