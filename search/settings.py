"""Settings, read once at the entry point and frozen. No other module reads the environment.

Order of precedence, last wins: defaults, ``likewise.toml`` (in the working directory, or named by ``LIKEWISE_CONFIG``),
``LIKEWISE_*`` variables, ``LIKEWISE_*_FILE`` variables (the value is in that file: for secrets), flags.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from search import addresses
from search.errors import SettingsError, UsageError
from search.model_descriptions.registry import AUTO, MOTION, NONE, SOUND, VISUAL, names_of
from search.spaces import MEANING, MOST_FRAMES

PREFIX = "LIKEWISE_"
BROKER_SCHEMES = ("redis", "rediss", "redis+socket")
LEAST_TOKEN = 16
"""Fewest characters of ``Settings.token``."""

OPEN_SCHEMES = frozenset({"file", "local", "http", "https"})
"""Schemes that fsspec takes for this machine or any server, not for a bucket."""

LEAST_KEY = 32
"""Fewest characters of ``Settings.cluster_key``."""

SPACE_OF_MODEL_SETTING = {"image_model": VISUAL, "video_model": MOTION, "sound_model": SOUND, "text_model": MEANING}
"""Settings that choose the model of a space."""

Positive = Annotated[int, Field(gt=0)]


class Settings(BaseModel):
    """All settings. The variable of a field is ``LIKEWISE_`` and its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(default_factory=lambda: user_data_path("likewise"), description="data directory")
    host: str = Field("127.0.0.1", description="address the page listens on")
    port: int = Field(8000, ge=0, le=65535, description="port the page listens on; 0 picks a free one")
    token: SecretStr | None = Field(
        None, description="password of page and API, 16 characters at least; needed on a public address"
    )
    max_upload_mb: Positive = Field(256, description="largest upload, MiB")

    server_url: str | None = Field(None, description="address of a Likewise elsewhere that commands ask")
    web_processes: Positive = Field(1, description="processes of `likewise serve`")
    web_threads: int = Field(8, ge=2, description="requests one of its processes answers at once")
    web_proxies: int = Field(0, ge=0, description="reverse proxies in front whose X-Forwarded headers are believed")

    store: Literal["edge", "server"] = Field("edge", description="embedded store, or a Qdrant server")
    qdrant_url: str | None = Field(
        None, description="address of the Qdrant server, for store = server; of several nodes with commas between"
    )
    qdrant_ca_file: Path | None = Field(
        None, description="certificates (PEM) of authorities that are trusted for it, besides the usual ones"
    )
    qdrant_api_key: SecretStr | None = Field(None, description="its API key")
    qdrant_grpc: str = Field("off", pattern=r"^(off|on|[\d, ]+)$", description="vectors by gRPC: off, on, or its port")
    store_seconds: float = Field(10.0, gt=0, description="seconds a request may wait for store, ledger and broker")
    wait_seconds: float = Field(60.0, ge=0, description="seconds a command waits at its start for store and ledger")
    qdrant_prefix: str = Field("", pattern=r"^[A-Za-z0-9_-]*$", description="put before its collections' names")
    qdrant_shards: Positive = Field(1, description="shards of a collection, when it is made")
    qdrant_replicas: Positive = Field(1, description="copies of each shard, when a collection is made")
    qdrant_write_consistency: Positive = Field(1, description="copies that must acknowledge a write")
    qdrant_on_disk: bool = Field(False, description="vectors and payloads are read from disk, not held in memory")
    qdrant_quantization: Literal["none", "int8", "binary"] = Field("none", description="compressed vectors in memory")
    qdrant_oversampling: float = Field(2.0, ge=1.0, description="candidates a hit that are rescored when quantized")
    qdrant_hnsw_m: int = Field(16, ge=4, le=128, description="links of a vector in the index")
    qdrant_hnsw_ef_construct: int = Field(100, ge=4, description="candidates looked at when the index is built")
    database_url: SecretStr | None = Field(None, description="SQLAlchemy address of the ledger; default SQLite in home")
    shared: str | None = Field(
        None, description="folder or fsspec address of previews and uploads that web and workers reach; default home"
    )
    allowed_folders: tuple[str, ...] = Field(
        (), description="the only folders and addresses that may be imported and served; empty, see README"
    )
    backup_folders: tuple[str, ...] = Field(
        (), description="the only folders that backups are written below; empty, any that the command line here names"
    )
    migration_targets: tuple[str, ...] = Field(
        (), description="the only stores to migrate to; empty, any that the command line of this machine names"
    )
    roots: dict[str, str] = Field({}, description="folders that this machine sees elsewhere: THERE=HERE, …")
    remote_schemes: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*$")], ...] = Field(
        ("s3", "gs", "az", "abfs"), description="schemes of addresses that may be ingested; never http or file"
    )

    broker_url: SecretStr | None = Field(None, description="address of the Redis that carries tasks to workers")
    cluster_key: SecretStr | None = Field(
        None,
        description="key that coordinators and workers sign their messages with; needed unless Redis is on localhost",
    )
    in_flight: Positive = Field(16, description="batches a job keeps with the workers at once")
    task_seconds: float = Field(600.0, gt=0, description="seconds a batch may take before it is cut in two")
    train_seconds: float = Field(3600.0, gt=0, description="seconds a training may take before it is ended")
    query_seconds: float = Field(30.0, gt=0, description="seconds a question waits for a worker")
    worker_memory_mb: int = Field(0, ge=0, description="MiB of memory at which a worker is renewed; 0 means never")
    metrics_port: int = Field(0, ge=0, le=65535, description="port of a worker's Prometheus metrics; 0 means none")

    image_model: str = Field(AUTO, description="model of `visual`")
    video_model: str = Field(AUTO, description="model of `motion`")
    sound_model: str = Field(AUTO, description="model of `sound`")
    text_model: str = Field(NONE, description="model of `meaning`, which words ask too")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N")
    batch_size: Positive = Field(16, description="pictures a forward pass; on a CPU 16 at most")
    batch_files: Positive = Field(64, description="pictures a batch; of sounds a quarter, of videos a sixteenth")
    threads: int = Field(0, ge=0, description="threads of the model on CPU; 0 means one a core")

    decode_workers: int = Field(0, ge=0, description="decoder processes; 0 means one a core")
    decode_timeout: float = Field(60.0, gt=0, description="seconds a decoder may take, beside a fifth of a sound")
    decode_memory_mb: Positive = Field(2048, description="MiB of address space a decoder may take beyond its own start")
    decoder_sandbox: Literal["auto", "required", "off"] = Field(
        "auto",
        description="decoders give up powers: auto those the kernel can take, required all or no decoder, off",
    )
    max_file_mb: Positive = Field(8192, description="largest file, MiB")
    max_pixels: Positive = Field(150_000_000, description="largest picture or frame, pixels")
    max_duration: float = Field(24 * 3600.0, gt=0, description="longest video or sound, seconds")
    key_frames: int = Field(1152, gt=0, le=MOST_FRAMES, description="most key frames kept of a video")
    cut_borders: bool = Field(True, description="leave frames and mounts of pictures out of style and features")

    excludes: tuple[str, ...] = Field((), description="patterns left out of every scan, in .gitignore syntax")
    include_system_folders: bool = Field(
        False, description="also scan what other programs keep beside photos: thumbnails, recycle bins, snapshots"
    )
    scrub_days: float = Field(
        30.0, ge=0, description="days in which `up` and `serve` read back and check every record; 0 means never"
    )
    missing_grace_days: float = Field(30.0, ge=0, description="days before records of missing files are deleted")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe message logged")
    log_format: Literal["text", "json"] = Field("text", description="lines for people, or one JSON object a line")

    @field_validator(*SPACE_OF_MODEL_SETTING, mode="after")
    @classmethod
    def _of_the_registry(cls, name: str, info: ValidationInfo) -> str:
        choices = model_choices(str(info.field_name))
        if name not in choices:
            *most, last = map(repr, choices)
            raise ValueError(f"Input should be {', '.join(most)} or {last}")
        return name

    @field_validator("home", "token", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        """Refuse empty values: an empty home is the working directory, an empty token protects nothing."""
        if value == "":
            raise ValueError("it is empty")
        return value

    @field_validator("token", mode="after")
    @classmethod
    def _hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < LEAST_TOKEN:
            raise ValueError(f"it has fewer than {LEAST_TOKEN} characters, and could be guessed")
        return token

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("shared", mode="after")
    @classmethod
    def _normalised_address(cls, shared: str | None) -> str | None:
        """An absolute path, or an address in its usual spelling."""
        try:
            return addresses.absolute(shared) if shared else None
        except UsageError as error:
            raise ValueError(error.message) from None

    @field_validator("allowed_folders", "backup_folders", mode="after")
    @classmethod
    def _absolute_each(cls, folders: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(addresses.absolute(folder) for folder in folders)
        except UsageError as error:
            raise ValueError(error.message) from None

    @field_validator("remote_schemes", mode="after")
    @classmethod
    def _of_stores(cls, schemes: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse schemes by which anybody who may start an ingest could read local files or internal servers."""
        if refused := [scheme for scheme in schemes if scheme in OPEN_SCHEMES]:
            raise ValueError(f"'{refused[0]}' is not to be ingested from")
        return schemes

    @field_validator("broker_url", mode="after")
    @classmethod
    def _of_redis(cls, url: SecretStr | None) -> SecretStr | None:
        """Refuse other addresses than of Redis here, because Celery takes many kinds and reports errors late."""
        if url is not None and parsed_address(url.get_secret_value(), BROKER_SCHEMES) is None:
            raise ValueError("it is no address like redis://host:6379/0")
        return url

    @field_validator("cluster_key", mode="after")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse a key that can be guessed: signed messages are at hand to try guesses on."""
        if key is not None and len(key.get_secret_value()) < LEAST_KEY:
            raise ValueError(f"it has fewer than {LEAST_KEY} characters")
        return key

    @field_validator("qdrant_url", mode="after")
    @classmethod
    def _of_qdrant(cls, url: str | None) -> str | None:
        for address in _listed(url):
            parts = parsed_address(address, ("http", "https"))
            if parts is None or not parts.hostname:
                raise ValueError("it is no address like http://host:6333")
            if parts.username or parts.password:  # the address is shown, and stored in backups
                raise ValueError("a password has no place in it; LIKEWISE_QDRANT_API_KEY takes the key")
        return url

    @model_validator(mode="after")
    def _server_has_address(self) -> Settings:
        if self.store == "server" and not self.qdrant_urls:
            raise ValueError("store is 'server' but LIKEWISE_QDRANT_URL is not set")
        return self

    @property
    def qdrant_urls(self) -> tuple[str, ...]:
        """The addresses of the Qdrant server's nodes, in the order in which they are tried."""
        return _listed(self.qdrant_url)

    @property
    def qdrant_key_in_the_open(self) -> str | None:
        """The address of another machine that the Qdrant server's key is sent to without encryption; None for none."""
        sent = self.qdrant_urls if self.store == "server" and self.qdrant_api_key is not None else ()
        for url in sent:
            parts = urlsplit(url)
            if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
                return url
        return None

    @property
    def ledger_url(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'ledger.sqlite'}"

    @property
    def shared_place(self) -> str:
        """Where previews and uploads lie: a folder, or an fsspec address."""
        return self.shared or str(self.home)

    @property
    def on_loopback(self) -> bool:
        """Whether only programs on this machine can connect."""
        return is_loopback(self.host)

    @property
    def cores(self) -> int:
        return len(os.sched_getaffinity(0))


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can connect to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def model_choices(setting: str) -> tuple[str, ...]:
    """What a setting that chooses the model of a space may be."""
    return (NONE if SPACE_OF_MODEL_SETTING[setting] == MEANING else AUTO, *names_of(SPACE_OF_MODEL_SETTING[setting]))


def load_settings(flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from all sources.

    Args:
        flags: values given on the command line; None values are ignored.
        environ: defaults to the process's environment.

    Raises:
        SettingsError: an unknown name, or a value of the wrong form; the message names where it was set, the value
            and what is allowed.
    """
    values, origin = _gather(flags, environ)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem, origin) for problem in error.errors())) from None


def setting_origins(
    flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """Where each setting that is not left at its default was set: a flag, a variable, a line of ``likewise.toml``.

    Raises:
        SettingsError: a file that settings come from cannot be read.
    """
    return _gather(flags, environ)[1]


def _gather(
    flags: Mapping[str, object] | None, environ: Mapping[str, str] | None
) -> tuple[dict[str, object], dict[str, str]]:
    """Values from all sources, of which the last wins, and the source of each."""
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {}
    origin: dict[str, str] = {}

    def take(name: str, value: object, where: str) -> None:
        values[name], origin[name] = value, where

    config = Path(environ.get(PREFIX + "CONFIG", "likewise.toml"))
    if config.is_file():
        for name, value in _read_toml(config).items():
            take(name, _split(name, value) if isinstance(value, str) else value, f"'{name}' in {config}")
    elif PREFIX + "CONFIG" in environ:
        raise SettingsError(f"LIKEWISE_CONFIG names '{config}', which is not a file.")
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name in Settings.model_fields:
            take(name, _split(name, environ[variable]), variable)
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
        if variable.startswith(PREFIX) and variable.endswith("_FILE") and name in Settings.model_fields:
            take(name, _read_secret(variable, environ[variable]), variable)
    for name, flag in (flags or {}).items():
        if flag is not None:
            take(name, flag, f"--{name.replace('_', '-')}")
    return values, origin


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}.") from None


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names '{path}', which cannot be read: {error}.") from None


def _split(name: str, text: str) -> object:
    """Value of a variable, split where the setting is a list or a mapping."""
    if name not in ("allowed_folders", "backup_folders", "excludes", "migration_targets", "remote_schemes", "roots"):
        return text
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if name != "roots":
        return parts
    pairs = [part.partition("=") for part in parts]
    return {remote: local for remote, _, local in pairs} if all(local for _, _, local in pairs) else text


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def parsed_address(url: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """Parts of an address of one of these schemes; None for other text."""
    try:
        parts = urlsplit(url)
        return parts if parts.scheme in schemes and parts.port != 0 else None
    except ValueError:  # a port that is no number; the message might quote part of a password
        return None


def _explain(problem: Mapping[str, object], origin: Mapping[str, str]) -> str:
    location = problem["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else ""
    if problem["type"] == "extra_forbidden":
        return f"{origin.get(name, name)}: there is no such setting; `likewise doctor` lists them."
    where = origin.get(name, name or "settings")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not name:
        return f"{where}: {message}."
    secret = "Secret" in str(Settings.model_fields[name].annotation)
    shown = "(secret)" if secret else re.sub("//[^/]*@", "//(secret)@", repr(problem["input"]))
    return f"{where}={shown} is not allowed: {message} ({Settings.model_fields[name].description})."
