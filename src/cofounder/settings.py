"""Settings: flags > environment (`COFOUNDER_*`) > TOML file > defaults.

This is the only module that reads the environment. The file is `cofounder.toml` in the
data directory, or wherever `COFOUNDER_CONFIG` points; nothing in a workspace is ever read.
"""

import os
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cofounder.domain.errors import ConfigurationError

DEFAULT_MODEL = "claude-sonnet-5-5"


class ModelPrice(BaseModel):
    """A price that the operator names, in dollars per million tokens; 0 is allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cache_read: Decimal = Field(default=Decimal(0), ge=0)
    cache_write: Decimal = Field(default=Decimal(0), ge=0)


class Settings(BaseSettings):
    """All settings of the service. Amounts are in dollars here, micro-dollars everywhere else."""

    model_config = SettingsConfigDict(
        env_prefix="COFOUNDER_", extra="forbid", frozen=True, env_ignore_empty=True
    )

    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("cofounder"))
    database_url: str | None = None
    redis_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8484, ge=0, le=65535)
    model: str = DEFAULT_MODEL
    sandbox: Literal["auto", "bubblewrap", "landlock"] = "auto"
    auth: Literal["token"] = "token"

    max_tool_calls: int = Field(default=1000, ge=1)
    max_tokens: int = Field(default=16_000, ge=1024)
    cycle_budget_usd: Decimal = Field(default=Decimal(60), gt=0, le=1_000_000)
    renewal_day: int = Field(default=1, ge=1, le=31)
    time_zone: str = "UTC"
    prices: dict[str, ModelPrice] = Field(default_factory=dict)

    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(default=None, validation_alias="ANTHROPIC_BASE_URL")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"there is no time zone {name!r}; use a name like Europe/Berlin"
            ) from error
        return name

    @property
    def sql_url(self) -> str:
        """The database: SQLite in the data directory unless a URL is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'cofounder.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the TOML file; no .env file is read."""
        flags = init_settings()
        folder = flags.get("data_dir") or env_settings().get("data_dir")
        root = Path(folder) if folder else platformdirs.user_data_path("cofounder")
        named = os.environ.get("COFOUNDER_CONFIG")
        if named and not Path(named).is_file():
            raise ValueError(f"COFOUNDER_CONFIG names {named}, and there is no such file")
        file = Path(named or root / "cofounder.toml")
        toml = TomlConfigSettingsSource(settings_cls, toml_file=file)
        return init_settings, env_settings, toml


class _Isolated(Settings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(**flags: object) -> Settings:
    """Read the settings; flags that are None do not count.

    Raises `ConfigurationError` that names each wrong setting and what is wrong with it.
    """
    return _checked(Settings, {name: v for name, v in flags.items() if v is not None})


def isolated_settings(**fields: object) -> Settings:
    """These and the defaults, and nothing else: neither environment nor file is read."""
    return _checked(_Isolated, fields)


def _checked(kind: type[Settings], given: dict[str, object]) -> Settings:
    try:
        return kind(**given)  # type: ignore[arg-type]  # pydantic validates each value
    except ValidationError as error:
        problems = "; ".join(
            f"{_variable(str(e['loc'][0] if e['loc'] else 'settings'))}: {e['msg']}"
            for e in error.errors()
        )
        raise ConfigurationError(
            f"The settings are wrong: {problems}.",
            cure="Correct the environment variable, the flag or the TOML file.",
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"The settings file cannot be read: {error}.",
            cure="Mend cofounder.toml in the data directory, or what COFOUNDER_CONFIG names.",
        ) from error


def _variable(name: str) -> str:
    return name if name.isupper() else f"COFOUNDER_{name.upper()}"
