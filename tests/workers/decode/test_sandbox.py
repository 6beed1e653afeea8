"""A decoder that a hostile file has taken over has no power over others: each attack runs in a child of a real pool.

Each also runs without what prevents it, and must succeed there.
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

import workers
from search.errors import CorruptMediaError, DecoderCrashError, DecoderSandboxError
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.sandbox import landlock
from workers.decode.sandbox.pool import DecodePool
from workers.decode.sandbox.powers import readable_paths

NEVER = 99
ATTACKS = {
    "read a token": (1, False),
    "read passwords": (1, False),
    "read a file beside": (1, False),
    "open its own file by path": (1, False),
    "list a folder": (1, False),
    "read its parent's environment": (1, False),
    "connect to a port": (4, True),
    "connect to a path": (NEVER, True),
    "connect to an abstract name": (6, True),
    "fork": (NEVER, True),
    "trace a process": (1, True),
    "read a process": (1, True),
    "limit a process": (NEVER, True),
    "signal its parent": (6, True),
    "direct signals": (NEVER, True),
    "share memory": (NEVER, True),
    "truncate a file": (3, True),
    "open a file emptied": (1, True),
    "open a file to write": (1, True),
    "open its own file to write": (1, True),
    "create a file": (1, True),
    "create a temporary file": (1, True),
    "make a folder": (1, True),
    "make a link": (1, True),
    "make a symbolic link": (1, True),
    "rename a file": (1, True),
    "remove a file": (1, True),
    "change a mode": (NEVER, True),
    "change an owner": (NEVER, True),
    "change its own file's mode": (NEVER, True),
    "change its own file's times": (NEVER, True),
    "mount": (1, True),
    "execute a program": (1, True),
    "kill a process": (6, True),
}
"""Attacks, the ABI from which on Landlock prevents each, and whether the filter of system calls does. The last end what
attacks or what is attacked."""
OF_ROOT = ("read passwords", "mount")
"""Attacks that any other account fails with."""
DENIED = (errno.EPERM, errno.EACCES, errno.ENOSYS)

VICTIM = """
import ctypes, sys
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(2**64 - 1), 0, 0, 0)  # anybody may trace it, also under Yama
held = ctypes.create_string_buffer(8)
print(ctypes.addressof(held), flush=True)
sys.stdin.read()
"""

SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Artist="{}"/></rdf:RDF></x:xmpmeta>"""

Attacker = Callable[..., DecodePool]


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    """Pools whose children attack; ``without`` mechanisms that this kernel shall seem to lack."""
    child = str(Path(__file__).with_name("attacking_child.py"))
    with ExitStack() as stack:

        def make(mode: str, *without: str) -> DecodePool:
            settings = Settings(decode_workers=1, decoder_sandbox=mode)
            return stack.enter_context(DecodePool(settings, command=(sys.executable, child, *without)))

        yield make


@pytest.fixture
def target(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A folder, a process and sockets of this account."""
    with ExitStack() as stack:
        sockets = Path(stack.enter_context(tempfile.TemporaryDirectory()), "socket")
        abstract = f"\0likewise-test-{os.getpid()}"
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for name in (str(sockets), abstract):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(name)
            listener.listen()
        victim = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", VICTIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        stack.callback(victim.kill)
        yield {
            "folder": str(tmp_path),
            "precious": str(tmp_path / "precious"),
            "new": str(tmp_path / "new"),
            "temporary": f"{sockets}.new",
            "port": port.getsockname()[1],
            "path": str(sockets),
            "abstract": abstract,
            "process": victim.pid,
            "address": int(victim.stdout.readline()),
        }


def attack(pool: DecodePool, name: str, target: dict[str, Any]) -> bool:
    """Whether the attack was denied; what is denied has changed nothing."""
    folder = Path(target["folder"])
    for left in folder.iterdir():
        left.rmdir() if left.is_dir() else left.unlink()
    (folder / "folder").mkdir()
    for made in ("token", "precious", name):
        (folder / made).write_text(json.dumps(target))
        (folder / made).chmod(0o600)
    before = contents(folder)
    error = pool.submit(str(folder / name)).exception()
    if error is None:
        return False
    if name == "execute a program" and isinstance(error, DecoderCrashError):
        assert "status 42" in error.message
        return False
    assert isinstance(error, CorruptMediaError), (name, error)
    said = re.search(r"\[Errno (\d+)\]", error.message)
    assert said, (name, error)
    assert int(said[1]) in DENIED, (name, error)
    assert contents(folder) == before, name
    return True


def contents(folder: Path) -> dict[str, tuple[int, ...]]:
    found = {path.name: path.stat() for path in folder.iterdir()}
    return {name: (status.st_mode, status.st_size, status.st_mtime_ns) for name, status in found.items()}


def kernel_abi() -> int:
    try:
        return landlock.kernel_abi()
    except landlock.LandlockError:
        return 0


@pytest.mark.parametrize(
    ("mode", "without"),
    [("auto", ()), ("auto", ("seccomp",)), ("auto", ("landlock",)), ("off", ())],
    ids=["sandbox", "landlock alone", "seccomp alone", "no sandbox"],
)
def test_each_attack_is_denied_by_what_is_in_force_and_succeeds_without(
    attacker: Attacker, target: dict[str, Any], mode: str, without: tuple[str, ...]
) -> None:
    pool, abi = attacker(mode, *without), 0 if mode == "off" or "landlock" in without else kernel_abi()
    filtered = mode != "off" and "seccomp" not in without
    reached = [] if os.geteuid() == 0 else OF_ROOT
    expected = {name: abi >= since or (filtered and by_filter) for name, (since, by_filter) in ATTACKS.items()}
    denied = {name: attack(pool, name, target) for name in ATTACKS if expected[name] or name not in reached}
    assert denied == {name: expected[name] for name in denied}
    assert not attack(pool, "work", target)


def test_what_lacks_is_said_and_refused_where_it_is_required(attacker: Attacker, target: dict[str, Any]) -> None:
    pool = attacker("auto", "landlock")
    (said,) = pool.confinement().lacking
    assert said.startswith("the kernel has no Landlock, so a decoder can open")
    for mechanism in ("landlock", "seccomp"):
        with pytest.raises(DecoderSandboxError, match=r"SANDBOX=required.*the kernel (has|takes) no") as refused:
            attacker("required", mechanism).submit(__file__).result()
        assert not refused.value.retryable


def _with_samples(decoded: Decoded) -> dict[str, Any]:
    sound = decoded.sound
    return asdict(decoded) | {"sound": None if sound is None else list(sound.pieces())}


def test_real_decoders_decode_the_same_in_it(
    decode, photo: Image.Image, tmp_path: Path, write_video, write_sound, scene, sine
) -> None:
    register_heif_opener()
    for name in ("a.jpg", "a.heic", "a.webp", "a.tif", "noname"):
        photo.save(tmp_path / name, format="PNG" if name == "noname" else None)
    write_video(tmp_path / "a.mp4", [scene(number) for number in range(5)], tone=True)
    write_video(tmp_path / "b.webm", [scene(1)] * 3, codec="libvpx-vp9")
    write_sound(tmp_path / "c.flac", sine(1.0, 8000)[np.newaxis], 8000, "flac")
    paths = sorted(tmp_path.iterdir())
    (tmp_path / "a.xmp").write_text(SIDECAR.format("of all"))
    (tmp_path / "a.jpg.xmp").write_text(SIDECAR.format("of one"))
    with DecodePool(Settings(decode_workers=1, decoder_sandbox="required" if kernel_abi() else "auto")) as pool:
        assert bool(pool.confinement().lacking) == (kernel_abi() == 0)
        confined = {path.name: pool.submit(str(path)).result() for path in paths}
    for path in paths:
        inside, outside = confined[path.name], decode(path)
        np.testing.assert_equal(_with_samples(inside), _with_samples(outside))
    assert {name: found.facts.artist for name, found in confined.items() if found.facts.artist} == {
        "a.jpg": "of one", **dict.fromkeys(("a.heic", "a.mp4", "a.tif", "a.webp"), "of all")
    }  # fmt: skip


def test_of_a_checkout_only_the_packages_of_decoders_can_be_read() -> None:
    readable = {path.resolve() for path in readable_paths() if path.exists()}
    root = Path(workers.__file__).resolve().parents[1]
    assert {root / "search", root / "workers"} <= readable
    for above in (root, Path.home().resolve(), Path("/etc"), Path("/proc"), Path("/tmp"), Path("/")):
        assert not {above, *above.parents} & readable
