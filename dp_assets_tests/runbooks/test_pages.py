"""The runner itself: it sees every command, and notices one that ends otherwise."""

import pytest

from dp_assets_tests.runbooks.pages import Command, Shell, commands_in

PAGE = """# Page
$ not in a block

## First
```console
$ dp fsck raw.flights   # ends with 1
printed
$ dp query "select '# ends with 1'"
```

## Second
1. Indented.

   ```console
   $ # a comment is no heading
   ```

```sh
$ not typed
```
"""


def test_commands_are_the_typed_lines_of_console_blocks():
    assert list(commands_in(PAGE)) == [
        Command("First", "dp fsck raw.flights", 1),
        Command("First", "dp query \"select '# ends with 1'\"", 0),
        Command("Second", "# a comment is no heading", 0),
    ]


@pytest.mark.parametrize(("text", "code"), [("exit 1", 0), ("true", 1), ("false; true", 0)])
def test_a_command_that_ends_otherwise_is_noticed(tmp_path, text, code):
    (tmp_path / "lake").mkdir()
    with pytest.raises(AssertionError):
        Shell(tmp_path / "lake").run(Command("", text, code))


def test_dp_is_this_checkout_s_and_no_setting_of_the_machine_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("DP_STATE", "/elsewhere")
    (tmp_path / "lake").mkdir()
    shell = Shell(tmp_path / "lake", {"REPOSITORY": "/r"})
    shell.run(Command("", 'command -v dp; echo "${DP_STATE:-none} $REPOSITORY"', 0))
    assert list(shell.said.values()) == [f"{tmp_path}/programs/dp\nnone /r\n"]


def test_a_page_without_commands_is_noticed(tmp_path):
    with pytest.raises(AssertionError, match="no command"):
        Shell(tmp_path).follow("docs/runbooks/README")
