"""Choosing the model that is used where none is named."""

from pathlib import Path

from ctxchat.service.setting_file import write_setting


def use_model(model: Path, settings_file: Path) -> None:
    """Write a model's path into a settings file. Raises SettingsError where it cannot be."""
    write_setting("model.path", str(model.absolute()), settings_file)
