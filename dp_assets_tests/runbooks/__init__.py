"""The runbooks, each run in a lakehouse to which its disaster just happened."""
