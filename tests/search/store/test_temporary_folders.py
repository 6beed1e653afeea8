from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from search.store.temporary_folders import temporary_folder

HOLDING = """
import sys, time
from pathlib import Path
from search.store.temporary_folders import temporary_folder
with temporary_folder("held-", Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_empty_and_gone_after_the_block(tmp_path: Path) -> None:
    with temporary_folder("mine-", tmp_path) as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
        with temporary_folder("mine-", tmp_path) as another:
            assert another != folder
        assert (folder / "file").exists(), "its process lives"
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_leaves_it(tmp_path: Path) -> None:
    with temporary_folder("mine-", tmp_path) as folder:
        child = os.fork()
        if child == 0:
            try:
                with temporary_folder("mine-", tmp_path):
                    raise SystemExit  # ends both blocks in the child
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert folder.exists()


def test_that_of_a_killed_process_goes_with_the_next_of_its_prefix(tmp_path: Path, repository: Path) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    process = subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    with temporary_folder("held-", tmp_path):
        assert (left / "file").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with temporary_folder("other-", tmp_path):
        assert left.exists(), "it is none of its own"
    with temporary_folder("held-", tmp_path) as folder:
        assert [path.name for path in tmp_path.iterdir()] == [folder.parent.name]
