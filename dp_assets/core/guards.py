"""What is asked right before something that cannot be taken back."""


def unguarded() -> None:
    """Nobody is asked: there is nobody else who could be in the way."""
