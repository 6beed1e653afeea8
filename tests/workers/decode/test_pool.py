from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from search.errors import (
    CorruptMediaError,
    DecoderCrashError,
    DecoderMemoryError,
    DecoderStartError,
    DecodeTimeoutError,
)
from search.media import Kind
from search.settings import Settings
from workers.decode.sandbox.pool import DecodePool

HOSTILE = (sys.executable, str(Path(__file__).with_name("hostile_child.py")))
FINE = __file__
"""A file whose name is no order."""
Pools = Callable[..., DecodePool]
Order = Callable[..., str]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """Make a file that tells a hostile child what to do, by its name, and what to, by what it holds."""

    def write(name: str, said: object = "nothing") -> str:
        path = tmp_path / name
        path.write_text(str(said))
        return str(path)

    return write


@pytest.fixture
def hostile() -> Iterator[Pools]:
    """Pools whose children do as the name of the file tells them."""
    opened: list[DecodePool] = []

    def make(**settings: object) -> DecodePool:
        defaults = {"decode_workers": 1, "decode_memory_mb": 256}
        opened.append(DecodePool(Settings.model_validate(defaults | settings), command=HOSTILE))
        return opened[-1]

    yield make
    for pool in opened:
        pool.close()


def child_of(pool: DecodePool) -> str:
    return pool.submit(FINE).result().mime


def test_a_picture_through_real_children(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9 \n.png"
    photo.save(path)
    with DecodePool(Settings(decode_workers=1)) as pool:
        decoded = pool.submit(str(path)).result()
    assert decoded.kind is Kind.IMAGE
    assert (decoded.facts.width, decoded.facts.height) == photo.size
    assert decoded.crops.shape == (1, 224, 224, 3)
    assert decoded.preview.startswith(b"RIFF")


def test_what_a_child_answers_arrives_whole(hostile: Pools, order: Order) -> None:
    decoded = hostile().submit(order("large", "a camera")).result()
    assert (decoded.crops == 7).all()
    assert len(decoded.sound) == 3_000_000
    assert (decoded.sound.samples() == 1).all()
    assert decoded.preview == b"webp"
    assert decoded.facts.camera == "a camera"


def test_errors_arrive_as_they_were_raised(hostile: Pools, order: Order) -> None:
    error = hostile().submit(order("corrupt")).exception()
    assert type(error) is CorruptMediaError
    assert (error.message, error.hint) == ("broken", "mend it")


def test_an_unforeseen_error_is_that_files_alone(hostile: Pools, order: Order) -> None:
    pool = hostile()
    child = child_of(pool)
    with pytest.raises(CorruptMediaError, match="RuntimeError: an error nobody foresaw"):
        pool.submit(order("raise")).result()
    assert child_of(pool) == child


@pytest.mark.parametrize(("way", "cause"), [("die", "SIGSEGV"), ("be killed", "SIGKILL"), ("exit", "status 7")])
def test_a_child_that_dies_is_named_and_replaced(hostile: Pools, order: Order, way: str, cause: str) -> None:
    pool = hostile()
    with pytest.raises(DecoderCrashError, match=cause):
        pool.submit(order(way)).result()
    assert child_of(pool)


def test_a_child_killed_while_it_waits_costs_no_file(hostile: Pools) -> None:
    pool = hostile()
    child = psutil.Process(int(child_of(pool).removeprefix("pid/")))
    child.kill()
    psutil.wait_procs([child], timeout=10)
    assert child_of(pool)


def test_a_child_that_hangs_is_killed(hostile: Pools, order: Order) -> None:
    pool = hostile(decode_timeout=0.5)
    child = int(child_of(pool).removeprefix("pid/"))
    with pytest.raises(DecodeTimeoutError, match=r"'hang' .* 0\.5 s"):
        pool.submit(order("hang")).result()
    assert not psutil.pid_exists(child)
    assert child_of(pool)


def test_a_child_that_needs_too_much_memory(hostile: Pools, order: Order) -> None:
    pool = hostile()
    with pytest.raises(DecoderMemoryError, match="256 MiB"):
        pool.submit(order("allocate")).result()
    assert child_of(pool)


def test_a_picture_that_needs_too_much_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("L", (11_000, 11_000)).save(path, compress_level=1)
    with DecodePool(Settings(decode_workers=1, decode_memory_mb=200)) as pool, pytest.raises(DecoderMemoryError):
        pool.submit(str(path)).result()


def test_a_child_that_swells_is_replaced(hostile: Pools, order: Order) -> None:
    pool = hostile()
    first = child_of(pool)
    assert child_of(pool) == first
    assert pool.submit(order("swell")).result().mime == first
    assert child_of(pool) != first


def test_a_child_writes_no_file_even_outside_the_sandbox(hostile: Pools, order: Order, tmp_path: Path) -> None:
    target = tmp_path / "written"
    with pytest.raises((CorruptMediaError, DecoderCrashError)):
        hostile(decoder_sandbox="off").submit(order("write", target)).result()
    assert not target.stat().st_size


def test_chatter_reaches_neither_the_protocol_nor_the_terminal(hostile: Pools, order: Order, capfd) -> None:
    assert hostile().submit(order("chatter")).result()
    assert capfd.readouterr() == ("", "")


def test_a_child_that_talks_nonsense_is_not_believed(hostile: Pools, order: Order) -> None:
    pool = hostile()
    with pytest.raises(DecoderCrashError, match="answered with"):
        pool.submit(order("babble")).result()
    assert child_of(pool)


def test_a_command_that_does_not_start(tmp_path: Path) -> None:
    pool = DecodePool(Settings(decode_workers=1), command=("false",))
    with pool, pytest.raises(DecoderStartError, match="ended with status 1"):
        pool.submit(FINE).result()


def test_a_machine_out_of_processes_is_no_files_fault(hostile: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    pool = hostile()
    with monkeypatch.context() as patch:
        patch.setattr("subprocess.Popen", refuse)
        with pytest.raises(DecoderStartError, match="temporarily unavailable"):
            pool.submit(FINE).result()
    assert child_of(pool)


def test_a_child_is_told_no_secrets(hostile: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKEWISE_TOKEN", "secret")
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    child = psutil.Process(int(child_of(hostile()).removeprefix("pid/")))
    assert "secret" not in child.environ().values()


def test_an_answer_that_cannot_be_understood_is_the_last_of_its_child(
    hostile: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of it is still in the pipe must not be taken for the answer to the next question."""
    pool = hostile()
    child = child_of(pool)
    with monkeypatch.context() as patch:
        patch.setattr("workers.decode.sandbox.protocol._facts", lambda _: 1 / 0)
        with pytest.raises(DecoderCrashError, match="cannot be read"):
            pool.submit(FINE).result()
    assert child_of(pool) != child


def test_a_child_keeps_no_file_open(hostile: Pools, order: Order) -> None:
    pool, path = hostile(), order("count")
    Path(path).with_name("count.xmp").write_text("a sidecar")
    counts = [pool.submit(path).result().mime for _ in range(3)]
    assert len(set(counts)) == 1


def test_cancelled_files_are_skipped(hostile: Pools, order: Order) -> None:
    pool = hostile(decode_timeout=2.0)
    hanging = pool.submit(order("hang"))
    waiting = [pool.submit(FINE) for _ in range(5)]
    assert all(future.cancel() for future in waiting[1:])
    assert isinstance(hanging.exception(), DecodeTimeoutError)
    assert waiting[0].result()


Begun = Callable[[], list[psutil.Process]]


@pytest.fixture
def begun() -> Begun:
    """Children of this process that the test has begun, and that have not ended."""
    others = psutil.Process().children()  # servers that other tests keep
    return lambda: [child for child in psutil.Process().children() if child not in others]


def test_closing_does_not_wait_for_what_hangs(begun: Begun, hostile: Pools, order: Order) -> None:
    pool = hostile(decode_workers=2)
    child_of(pool)
    futures = [pool.submit(order("hang")) for _ in range(6)]
    while not all(future.running() for future in futures[:2]):
        assert not [future.exception() for future in futures[:2] if future.done()]
        time.sleep(0.01)
    pool.close()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(timeout=0)
    assert not begun()
    with pytest.raises(RuntimeError):
        pool.submit(FINE)
    pool.close()


def test_many_files_from_many_threads(hostile: Pools, tmp_path: Path) -> None:
    pool = hostile(decode_workers=3)
    orders = ["fine", "corrupt", "die", "raise"]
    wrong: list[str] = []

    def ask(thread: int) -> None:
        for number in range(5):
            path, name = tmp_path / f"{thread}{number}", orders[(thread + number) % 4]
            path.mkdir()
            (path / name).write_text(str(path))
            future = pool.submit(str(path / name))
            good = future.exception() is None and future.result().facts.camera == str(path)
            if good != (name == "fine"):
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_children_start_only_when_there_is_work(begun: Begun, hostile: Pools) -> None:
    pool = hostile(decode_workers=4)
    assert not begun()
    child_of(pool)
    assert len(begun()) == 1


@pytest.mark.parametrize("last", ["hang", "fine"])
def test_children_end_with_their_parent(order: Order, last: str) -> None:
    script = (
        "import sys; from search.settings import Settings; from workers.decode.sandbox.pool import DecodePool\n"
        f"pool = DecodePool(Settings(decode_workers=2), command={HOSTILE!r})\n"
        f"pool.submit({FINE!r}).result(); pool.submit({order(last)!r}); pool.submit({order(last)!r})\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    root = Path(__file__).resolve().parents[3]
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout.readline() == b"ready\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


def test_the_decoders_import_neither_a_model_library_nor_settings() -> None:
    """Settings alone would take as long as the rest of what a decoder imports before its first file."""
    imports = "import sys, workers.decode.sandbox.child, workers.decode.file"
    code = f"{imports}; print({{'torch', 'pydantic'}} & {{*sys.modules}})"
    root = Path(__file__).resolve().parents[3]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root).strip() == b"set()"


def test_arrays_belong_to_the_caller(hostile: Pools, order: Order) -> None:
    crops = hostile().submit(order("fine")).result().crops
    crops += np.uint8(1)
    assert (crops == 8).all()
