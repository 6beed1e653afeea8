"""Checks of ``likewise doctor``: the state of each thing and, where it is not well, what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from search.errors import BrokerUnavailableError, LikewiseError, StoreLockedError
from search.model_descriptions.registry import MOTION, VISUAL, models_of
from search.settings import PREFIX, Settings
from web.checks import models
from web.checks.result import Check, Health
from web.running import find_running

PACKAGES = (
    "likewise",
    "torch",
    "qdrant-edge-py",
    "qdrant-client",
    "celery",
    "redis",
    "waitress",
    "av",
    "pillow",
    "pillow-heif",
    "rawpy",
)
LOW_DISK = 1 << 30
"""Free bytes below which the data directory gets a warning: a preview takes about 20 kB, a record about 10 kB."""


def run_checks(settings: Settings) -> Iterator[Check]:
    """Run every check; an error in one makes it a failed check and does not end the others."""
    checks: tuple[tuple[str, Callable[[Settings], Check]], ...] = (
        ("versions", _versions),
        ("variables", _variables),
        ("data directory", _home),
        ("store", _store),
        ("decoding", _decoding),
        ("decoder sandbox", _sandbox),
        ("ledger", _ledger),
        ("stored data", _verified),
        ("broker", _broker),
        ("workers", _workers),
        ("shared place", _shared),
        ("photographers", _photographers),
        ("device", _device),
        *((f"weights of {model.name}", partial(models.weights, model)) for model in models_of(VISUAL)),
        *((f"weights of {model.name}", partial(models.weights, model)) for model in models_of(MOTION)),
        ("model of sounds", models.sound),
        ("model of words", models.text),
    )
    for name, check in checks:
        try:
            yield check(settings)
        except LikewiseError as error:
            yield Check(name, Health.FAILED, error.message, error.hint)
        except OSError as error:
            yield Check(name, Health.FAILED, str(error), "Check the path and its permissions.")


def _versions(settings: Settings) -> Check:
    found = [f"Python {platform.python_version()}"]
    absent = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    needed = [name for name in absent if name != "rawpy"]
    detail = ", ".join(found) + (f"; without {', '.join(absent)}" if absent else "")
    hint = "Run `make install`." if needed else ("RAW pictures need the extra: likewise[raw]." if absent else "")
    return Check("versions", Health.FAILED if needed else Health.OK, detail, hint)


def _variables(settings: Settings) -> Check:
    """Whether a LIKEWISE_ variable is misspelt; nothing else reports that."""
    known = {f"{PREFIX}{name.upper()}{ending}" for name in Settings.model_fields for ending in ("", "_FILE")}
    unknown = sorted(v for v in os.environ if v.startswith(PREFIX) and v not in known | {PREFIX + "CONFIG"})
    if unknown:
        detail = f"There is no setting {', '.join(unknown)}."
        return Check("variables", Health.WARNING, detail, "Correct or remove the variable.")
    return Check("variables", Health.OK, "No unknown LIKEWISE_ variable is set.")


def _home(settings: Settings) -> Check:
    home = settings.home
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
        hint = "Change its owner, or name another (--home)."
        return Check("data directory", Health.FAILED, f"{home} cannot be written.", hint)
    free = shutil.disk_usage(nearest).free
    made = "" if nearest == home else ", made by the first command that needs it"
    detail = f"{home}{made}; {free / 2**30:.1f} GiB free"
    if free < LOW_DISK:
        return Check("data directory", Health.WARNING, detail, "Free some space before importing more.")
    return Check("data directory", Health.OK, detail)


def _store(settings: Settings) -> Check:
    running = find_running(settings.home)
    if running is not None:
        return Check("store", Health.OK, f"open in `likewise up` at {running.url} (process {running.pid})")
    if settings.store == "edge" and not settings.home.exists():
        return Check("store", Health.OK, "empty")
    from search.store import open_store

    try:
        with closing(open_store(settings)) as store:
            counts = [f"{info.points} {name}" for name, info in store.collections().items()]
    except StoreLockedError as error:
        return Check("store", Health.WARNING, error.message, error.hint)
    where = settings.qdrant_url if settings.store == "server" else "embedded"
    detail = f"{settings.store} ({where}): {', '.join(counts) or 'empty'}"
    if settings.store == "server":
        from search.store.server.warnings import warning_of

        if (warning := warning_of(settings)) is not None:
            return Check("store", Health.WARNING, f"{detail}; {warning.message}", warning.hint)
    return Check("store", Health.OK, detail)


def _asked(settings: Settings, name: str, address: str) -> object:
    """What the API answers at an address; the check ``name`` where nothing is stored yet or another process has the
    store."""
    from web.client import connect

    if find_running(settings.home) is None and settings.store == "edge" and not settings.home.exists():
        return Check(name, Health.OK, "nothing is stored yet")
    try:
        with connect(settings) as client:
            return client.get(address)
    except StoreLockedError as error:
        return Check(name, Health.WARNING, error.message, error.hint)


def _decoding(settings: Settings) -> Check:
    """Whether an older version decoded some files, or filled spaces, in another way than this one."""
    from search.records.status import StoreStatus, earlier_layout
    from web.plain import load

    name = "decoding"
    answer = _asked(settings, name, "/status")
    if isinstance(answer, Check):
        return answer
    status: StoreStatus = load(StoreStatus, answer)
    outdated = sum(collection.outdated for collection in status.collections.values())
    layout = " ".join(earlier_layout(status))
    if not outdated:
        state = Health.WARNING if layout else Health.OK
        return Check(name, state, layout or "every record is as this version decodes its file")
    detail = f"{outdated:,} records were decoded otherwise by an older version; they answer as they are. {layout}"
    return Check(name, Health.WARNING, detail, "`likewise reembed --decoding` decodes their files anew.")


def _sandbox(settings: Settings) -> Check:
    """What keeps decoders from acting on others, as a decoder that is started for this says."""
    from workers.decode.sandbox.pool import DecodePool

    name = "decoder sandbox"
    with DecodePool(settings.model_copy(update={"decode_workers": 1})) as pool:
        found = pool.confinement()
    in_force = f"in force: {'; '.join(found.in_force)}" if found.in_force else "nothing is in force"
    if not found.lacking:
        return Check(name, Health.OK, in_force)
    hint = (
        "Set LIKEWISE_DECODER_SANDBOX=auto."
        if settings.decoder_sandbox == "off"
        else "Run on Linux 5.13 or later with Landlock (boot parameter lsm=), x86-64 or AArch64. Until then, decoders "
        "have limits of time and memory, and what is in force."
    )
    return Check(name, Health.WARNING, f"{in_force}; lacking: {'; '.join(found.lacking)}", hint)


def _ledger(settings: Settings) -> Check:
    from sqlalchemy import make_url

    from ingest.ledger.database import Ledger

    if settings.database_url is None and not (settings.home / "ledger.sqlite").exists():
        return Check("ledger", Health.OK, "empty")
    ledger = Ledger(settings.ledger_url)
    try:
        faults = ledger.quick_check()
    finally:
        ledger.close()
    if faults:
        error = ledger.damaged("; ".join(faults))
        return Check("ledger", Health.FAILED, error.message, error.hint)
    backend = make_url(settings.ledger_url).get_backend_name()
    return Check("ledger", Health.OK, f"{backend}: opens{'' if backend != 'sqlite' else ', and is whole'}")


def _verified(settings: Settings) -> Check:
    """What the last verification and the checks in the background have found."""
    from ingest.maintenance.verify.findings import Verification
    from web.plain import load

    name = "stored data"
    answer = _asked(settings, name, "/verification")
    if isinstance(answer, Check):
        return answer
    verified: Verification = load(Verification, answer)
    if (damage := verified.damage) is not None:
        hint = "`likewise verify` lists it, `likewise verify --repair` repairs it."
        return Check(name, Health.FAILED, damage.summary, hint)
    if (last := verified.checked) is None:
        return Check(name, Health.OK, "not read back as a whole yet; `likewise verify` does so")
    when = datetime.fromtimestamp(last.began).astimezone().isoformat(sep=" ", timespec="minutes")
    return Check(name, Health.OK, f"{when}: {last.summary}")


def _broker(settings: Settings) -> Check:
    if settings.broker_url is None:
        return Check("broker", Health.OK, "none: this machine embeds by itself")
    from workers.cluster.app import make_app
    from workers.cluster.broker import Broker

    app = make_app(settings)
    waiting = {queue: depth for queue, depth in Broker(app).depths().items() if depth}
    said = ", ".join(f"{depth} waiting in {queue}" for queue, depth in waiting.items()) or "nothing waits"
    return Check("broker", Health.OK, f"{app.connection_for_read().as_uri()} answers; {said}")


def _workers(settings: Settings) -> Check:
    if settings.broker_url is None:
        return Check("workers", Health.OK, "none needed")
    from workers.cluster.app import QUEUES, make_app
    from workers.cluster.broker import Broker

    try:
        found = Broker(make_app(settings)).listeners()
    except BrokerUnavailableError:
        return Check("workers", Health.WARNING, "Without the broker nobody can say.", "See to the broker first.")
    served = {queue for listener in found for queue in listener.queues}
    unserved = [queue for queue in QUEUES if queue not in served]
    detail = "; ".join(f"{listener.name} takes {', '.join(listener.queues)}" for listener in found)
    if not found:
        hint = "Start `likewise worker` with the same LIKEWISE_BROKER_URL, here or on a machine with a GPU."
        return Check("workers", Health.WARNING, "No worker listens: questions about files fail and jobs wait.", hint)
    if unserved:
        hint = f"Start `likewise worker --queues {','.join(unserved)}`."
        return Check("workers", Health.WARNING, f"Nobody takes from {', '.join(unserved)}; {detail}", hint)
    return Check("workers", Health.OK, detail)


def _shared(settings: Settings) -> Check:
    if settings.broker_url is not None and settings.shared is None:
        return Check(
            "shared place",
            Health.WARNING,
            f"Previews and uploads lie in {settings.home}, where workers on other machines do not reach them.",
            "Set LIKEWISE_SHARED, here and on every worker, to a folder or bucket that all of them see; nothing, if "
            "all of it runs on this machine.",
        )
    return Check("shared place", Health.OK, settings.shared_place)


def _photographers(settings: Settings) -> Check:
    """Trained models in use, and whether they fit the stored vectors."""
    from search.photographers.model_registry import ModelKind
    from search.photographers.space import PhotographerSpace
    from workers.training.shared_models import SharedModels

    models, found = SharedModels(settings), []
    versions = {kind: models.current(kind) for kind in ModelKind}
    if in_use := versions[ModelKind.CLASSIFIER]:
        fits = _classifier_fits(settings, models.folder(ModelKind.CLASSIFIER, in_use))
        found.append(f"classifier {in_use.name}{', which fits what is stored' if fits else ''}")
    if in_use := versions[ModelKind.JOINT]:
        space = PhotographerSpace.load(models.folder(ModelKind.JOINT, in_use))
        found.append(f"photographer space {in_use.name} of {len(space.names):,}")
    return Check("photographers", Health.OK, "; ".join(found) or "nothing trained yet")


def _classifier_fits(settings: Settings, folder: Path) -> bool:
    """Whether the classifier was trained on the stored vectors; False where that is unknown, because another process
    has the store open, or it is empty.

    Raises:
        SpaceMismatchError: it was trained on other vectors.  ModelError: it is damaged.
    """
    from search.media import Kind
    from search.photographers.classifier.model_files import check_features, check_space, read_manifest
    from search.store import open_store

    facts = read_manifest(folder)
    check_features(facts["features"])
    try:
        with closing(open_store(settings)) as store:
            images = store.collections().get(Kind.IMAGE.collection)
    except StoreLockedError:
        return False
    if images is None:
        return False
    for name in ("visual", "style"):
        check_space(name, facts[name], images.schema.space(name))
    return True


def _device(settings: Settings) -> Check:
    import torch

    from workers.device import choose_device

    device = choose_device(settings)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{settings.cores} cores"
    return Check("device", Health.OK, f"{device} ({name})")
