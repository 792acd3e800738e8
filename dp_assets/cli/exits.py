"""What `dp` ends with; scripts decide on these numbers."""

from enum import IntEnum


class ExitCode(IntEnum):
    """DONE to OUTCOME_UNKNOWN are promises; the last two are what shells expect of a signal."""

    DONE = 0
    CHECK_FAILED = 1
    BAD_USAGE = 2
    OPERATION_FAILED = 3
    OUTCOME_UNKNOWN = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141
