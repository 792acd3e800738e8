"""Recovery from end to end: the command line, real catalogs, real buckets, real interruptions."""
