"""What everything has that a person fits: settings, which are checked in one place, and a file.

The settings are the fields of a dataclass. Each brings its check along, so that what a setting is
and what it may be stand in one line. Left out: every setting itself, and what stands in the file
(:mod:`rnn_lib.saving`).
"""

import os
from dataclasses import field, fields

from rnn_lib.saving import read_model, write_model


def setting(default, check, fixed=False):
    """Make a field with its check, ``(name, value)``; `fixed`: the fitted network depends on it."""
    return field(default=default, metadata={"check": check, "fixed": fixed})


def by(get):
    """Make a check of a function that looks something up."""
    return lambda name, value: get(value)


def verbosity(name, value):
    """Raise ValueError unless `value` says how much to show."""
    if value not in (0, 1, 2):
        raise ValueError(f"{name}: expected 0 (silent), 1 (lines) or 2 (bar), got {value!r:.80}")


class Estimator:
    """A dataclass of settings, and the state that ``fit`` leaves."""

    _state = None  # a TrainingState

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the settings by name, as scikit-learn asks for them; `deep` has no effect."""
        return {setting.name: getattr(self, setting.name) for setting in fields(self)}

    def save(self, path: str | os.PathLike) -> None:
        """Write what was fitted into a file.

        Settings, weights, history, and the state of optimizer, schedule and random numbers, where a
        warm start needs them; of a classifier not the vocabulary that made the word ids.

        Parameters
        ----------
        path : path
            The file, commonly ``.npz``; one that stands there is replaced. At any moment the old
            file or the new one is there whole.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If nothing is fitted, or settings have changed since so that they no longer fit the
            network.
        TypeError
            If a setting is an object of a class that is not the library's.

        Warns
        -----
        UserWarning
            If `initializer` is a function, or `lr` one other than ``linear_decay``: functions
            cannot be saved. What is loaded has the default initializer, and the last learning rate.
        """
        self._expect_fixed_settings()
        write_model(path, self._format, self.get_params(), self._state)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Estimator":
        """Read what :meth:`save` wrote; nothing in the file is executed.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        Estimator
            Its answers are those of the saved one, to the last bit. A setting that the file does
            not know has its default.

        Raises
        ------
        OSError
            If there is no such file, or it cannot be read.
        ValueError
            If it is not a file of this class, is damaged, or was written by another version.
        """
        return read_model(path, cls)

    def _become(self, state):
        self._state = state
        self.network_, self.classes_, self.history_ = state.network, state.classes, state.history
        return self

    def _check_settings(self):
        for setting in fields(self):
            value = getattr(self, setting.name)
            if "check" in setting.metadata and (value is not None or setting.default is not None):
                setting.metadata["check"](setting.name, value)

    def _expect_fixed_settings(self):
        for name, now in self.get_params().items():
            before = self._expect_fitted().settings[name]
            if self.__dataclass_fields__[name].metadata.get("fixed") and now != before:
                what = f"{name}: the network was fitted with {before!r:.80}, got {now!r:.80}"
                raise ValueError(f"{what}: set it back, or fit anew")

    def _expect_fitted(self):
        if self._state is None:
            raise NotFittedError(f"this {type(self).__name__} is not fitted: call fit first")
        return self._state


class NotFittedError(ValueError, AttributeError):
    """Asked for an answer before ``fit``."""
