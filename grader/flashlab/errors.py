"""The errors that end a command with one clear line and an exit code."""


class FlashLabError(Exception):
    """Base of the errors that a user can act on; its text is the one line that they read."""

    exit_code = 2


class UsageError(FlashLabError):
    """The command line or the environment is at fault: exit code 2."""


class SubmissionError(FlashLabError):
    """The submission does not build or cannot run: exit code 1. `details` holds what the compiler said."""

    exit_code = 1

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details

    @property
    def whole(self) -> str:
        """The line with its details."""
        return f"{self}\n{self.details}".strip()
