from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from search.errors import SettingsError
from search.settings import Settings, load_settings, setting_origins


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_are_private_and_local() -> None:
    settings = load_settings(environ={})
    assert settings.host == "127.0.0.1"
    assert settings.store == "edge"
    assert settings.home.is_absolute()


def test_later_sources_win(tmp_path: Path) -> None:
    (tmp_path / "likewise.toml").write_text('port = 1000\nbatch_size = 4\nlog_level = "debug"\n')
    environ = {"LIKEWISE_PORT": "2000", "LIKEWISE_BATCH_SIZE": "8"}
    settings = load_settings({"port": 3000, "host": None}, environ)
    assert (settings.port, settings.batch_size, settings.log_level) == (3000, 8, "debug")
    origins = setting_origins({"port": 3000, "host": None}, environ)
    assert origins["port"] == "--port"
    assert origins["batch_size"] == "LIKEWISE_BATCH_SIZE"
    assert "likewise.toml" in origins["log_level"]
    assert "host" not in origins


def test_secret_from_a_file_is_stripped_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("open sesame, please\n")
    settings = load_settings(environ={"LIKEWISE_TOKEN_FILE": str(secret)})
    assert settings.token is not None
    assert settings.token.get_secret_value() == "open sesame, please"
    assert "sesame" not in repr(settings)


def test_excludes_may_be_one_text_or_a_list(tmp_path: Path) -> None:
    for text in ('excludes = "a, *.tmp"', 'excludes = ["a", "*.tmp"]'):
        (tmp_path / "likewise.toml").write_text(text)
        assert load_settings(environ={}).excludes == ("a", "*.tmp")


def test_a_token_that_could_be_guessed_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="fewer than 16 characters") as refused:
        load_settings(environ={"LIKEWISE_TOKEN": "open sesame"})
    assert "sesame" not in str(refused.value)


def test_an_empty_token_is_refused_since_it_would_protect_nothing() -> None:
    with pytest.raises(SettingsError, match=r"LIKEWISE_TOKEN=\(secret\) is not allowed: it is empty"):
        load_settings(environ={"LIKEWISE_TOKEN": ""})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LIKEWISE_PORT", "ninety"),
        ("LIKEWISE_PORT", "70000"),
        ("LIKEWISE_DEVICE", "tpu"),
        ("LIKEWISE_STORE", "postgres"),
        ("LIKEWISE_IMAGE_MODEL", "vgg"),
        ("LIKEWISE_BATCH_SIZE", "0"),
        ("LIKEWISE_DECODE_TIMEOUT", "-1"),
        ("LIKEWISE_HOME", ""),
    ],
)
def test_a_wrong_value_is_named_with_variable_value_and_what_is_allowed(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={variable: value})
    message = str(caught.value)
    assert variable in message
    assert value in message
    description = Settings.model_fields[variable.removeprefix("LIKEWISE_").lower()].description
    assert description is not None
    assert description in message


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "likewise.toml").write_text("token = 12345678\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={})
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379/0",
        "http://:opensesame@redis",
        "redis://:open/sesame@redis:6379",
        "redis://:opensesame@redis:port",
    ],
)
def test_a_broker_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"LIKEWISE_BROKER_URL=\(secret\).*redis://host:6379/0") as caught:
        load_settings(environ={"LIKEWISE_BROKER_URL": url})
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:6333", "http://", "http://qdrant:port", "ftp://qdrant:6333"])
def test_what_is_no_address_of_a_store_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"LIKEWISE_QDRANT_URL=.* it is no address like http://host:6333"):
        load_settings(environ={"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": url})


def test_the_address_of_a_store_holds_no_password() -> None:
    with pytest.raises(SettingsError, match="LIKEWISE_QDRANT_API_KEY takes the key") as caught:
        load_settings(environ={"LIKEWISE_QDRANT_URL": "http://me:opensesame@qdrant:6333"})
    assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https", "file", "local"])
def test_no_setting_opens_files_or_neighbours_to_whoever_may_ingest(scheme: str) -> None:
    with pytest.raises(SettingsError, match=f"'{scheme}' is not to be ingested from"):
        load_settings(environ={"LIKEWISE_REMOTE_SCHEMES": f"s3,{scheme}"})


def test_several_wrong_values_are_all_told() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"LIKEWISE_PORT": "x", "LIKEWISE_THREADS": "-1"})
    assert "LIKEWISE_PORT" in str(caught.value)
    assert "LIKEWISE_THREADS" in str(caught.value)


def test_unknown_name_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "likewise.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r"'prot' in likewise\.toml"):
        load_settings(environ={})


def test_broken_and_absent_files(tmp_path: Path) -> None:
    (tmp_path / "likewise.toml").write_text("port = = 1\n")
    with pytest.raises(SettingsError, match="TOML"):
        load_settings(environ={})
    with pytest.raises(SettingsError, match="LIKEWISE_CONFIG"):
        load_settings(environ={"LIKEWISE_CONFIG": str(tmp_path / "none.toml")})
    (tmp_path / "likewise.toml").unlink()
    with pytest.raises(SettingsError, match="LIKEWISE_TOKEN_FILE"):
        load_settings(environ={"LIKEWISE_TOKEN_FILE": str(tmp_path / "none")})


def test_server_store_needs_its_address() -> None:
    with pytest.raises(SettingsError, match="LIKEWISE_QDRANT_URL"):
        load_settings(environ={"LIKEWISE_STORE": "server"})
    settings = load_settings(environ={"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": "http://qdrant:6333"})
    assert settings.qdrant_url == "http://qdrant:6333"


def test_lists_are_split_at_commas() -> None:
    assert load_settings(environ={"LIKEWISE_EXCLUDES": "*.tmp, cache/ ,"}).excludes == ("*.tmp", "cache/")


def test_roots_schemes_and_the_shared_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    roots = load_settings(environ={"LIKEWISE_ROOTS": "/mnt/photos=/data, s3://media=/buckets/media"}).roots
    assert roots == {"/mnt/photos": "/data", "s3://media": "/buckets/media"}
    with pytest.raises(SettingsError, match="LIKEWISE_ROOTS"):
        load_settings(environ={"LIKEWISE_ROOTS": "/mnt/photos"})
    assert load_settings(environ={"LIKEWISE_REMOTE_SCHEMES": "s3, memory"}).remote_schemes == ("s3", "memory")
    with pytest.raises(SettingsError, match="LIKEWISE_REMOTE_SCHEMES"):
        load_settings(environ={"LIKEWISE_REMOTE_SCHEMES": "s3://"})
    for given, kept in (("mounted", f"{tmp_path}/mounted"), ("s3://media/likewise/", "s3://media/likewise")):
        assert load_settings(environ={"LIKEWISE_SHARED": given}).shared_place == kept
    with pytest.raises(SettingsError, match="LIKEWISE_SHARED"):
        load_settings(environ={"LIKEWISE_SHARED": "s3://"})
    assert load_settings({"home": tmp_path}, {}).shared_place == str(tmp_path)


def test_the_ledger_lies_in_the_data_directory_unless_told_otherwise(tmp_path: Path) -> None:
    assert load_settings({"home": tmp_path}, {}).ledger_url == f"sqlite:///{tmp_path}/ledger.sqlite"
    other = load_settings(environ={"LIKEWISE_DATABASE_URL": "postgresql://db/likewise"})
    assert other.ledger_url == "postgresql://db/likewise"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings(environ={}).port = 1  # type: ignore[misc]
