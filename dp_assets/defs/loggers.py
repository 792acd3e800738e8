"""Where a run's log goes besides Dagster's event store: the console, or whoever runs it."""

import logging

import dagster as dg

STEPS_LOGGER = "dp_assets.steps"


def steps(_init: dg.InitLoggerContext) -> logging.Logger:
    """Every event to the Python logger ``dp_assets.steps``: ``dp run`` shows progress itself."""
    logger = logging.getLogger(STEPS_LOGGER)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


@dg.definitions
def loggers() -> dg.Definitions:
    """``console`` is Dagster's default; ``steps`` is chosen by run config."""
    quiet = dg.LoggerDefinition(steps, description=steps.__doc__)
    return dg.Definitions(loggers={"console": dg.colored_console_logger, "steps": quiet})
