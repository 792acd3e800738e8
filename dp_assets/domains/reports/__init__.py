"""The pipeline's report in words: what a terminal shows of it."""
