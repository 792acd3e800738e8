"""What each table must look like, declared in pandera; load one with ``registry.contract_for``."""
