"""What all errors are."""

from typing import ClassVar


class RackeyeError(Exception):
    """An error that a person can act on.

    sentence: what happened, with the names of the things concerned.
    hint: what to do now.
    """

    code: ClassVar[str] = ""
    meaning: ClassVar[str] = ""

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
