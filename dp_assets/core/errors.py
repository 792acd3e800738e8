"""The errors this product raises on purpose; anything else is a bug."""


class LakeError(Exception):
    """Base of every expected failure: what failed on which object, then what to do.

    The three subclasses are verdicts on repeating the call, because that is what a caller, a
    retry policy and an exit code decide on.
    """

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(f"{what}\nhint: {hint}")
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling between processes, which calls the class with ``args`` only."""
        return (_revive, (type(self), self.what, self.hint))


def _revive(kind: type[LakeError], what: str, hint: str) -> LakeError:
    return kind(what, hint=hint)


class TransientError(LakeError):
    """The same call may succeed later: a lost commit race, a 503, a lease held elsewhere."""


class PermanentError(LakeError):
    """The same call will fail again until a person or another run changes something."""


class ConfigurationError(PermanentError):
    """The settings, the command or its arguments are wrong; nothing was touched."""


class OutcomeUnknownError(LakeError):
    """The change may have happened. Never repeat blindly: read the table, then decide."""
