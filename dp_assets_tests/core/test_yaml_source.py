import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.yaml_source import FromEnvironment, read_yaml


@pytest.fixture
def read(tmp_path):
    def read_text(text, **env):
        file = tmp_path / "a.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(file, env=env)

    return read_text


def problems(source):
    return [str(p) for p in source.problems]


def test_every_scalar_is_the_text_that_was_written(read):
    text = "a: no\nb: 0123\nc: 2013-01-01\nd: 1.50\ne: 'x'\nf: 12:30:00\n"
    assert read(text).data == {
        "a": "no",
        "b": "0123",
        "c": "2013-01-01",
        "d": "1.50",
        "e": "x",
        "f": "12:30:00",
    }


def test_a_key_without_a_value_is_none(read):
    assert read("a:\nb: ~\nc: null\nd: {}\n").data == {"a": None, "b": None, "c": None, "d": {}}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_an_empty_mapping(read, text):
    assert read(text).data == {}


def test_keys_know_their_lines(read):
    source = read("# c\na:\n  b:\n    c: 1\n  d: [x, y]\n")
    assert source.lines == {("a",): 2, ("a", "b"): 3, ("a", "b", "c"): 4, ("a", "d"): 5}
    assert source.line_of(("a", "b", "missing")) == 3
    assert source.line_of(("missing",)) is None


def test_variables_are_put_in_and_remembered_as_such(read):
    source = read("a: x-${NAME}-$$-${NAME}\nb: $NAME $5\n", NAME="v")
    assert source.data == {"a": "x-v-$-v", "b": "$NAME $5"}
    assert isinstance(source.data["a"], FromEnvironment)
    assert source.written["a",] == "x-${NAME}-$$-${NAME}"


def test_what_a_variable_holds_is_not_read_again(read):
    assert read("a: ${X}\n", X="${Y} $$ b: c").data == {"a": "${Y} $$ b: c"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  b: ${X}\n", "line 2, a.b: environment variable X is not set"),
        ("a: ${EMPTY}\n", "line 1, a: environment variable EMPTY is empty"),
        ("a: ${X\n", "line 1, a: '${' begins a variable; write ${NAME}, or $${ for the text"),
        ("a: ${1X}\n", "line 1, a: '${' begins a variable; write ${NAME}, or $${ for the text"),
        ("a: 1\nb: 2\na: 3\n", "line 3, a: written twice; the first is on line 1"),
        ("x:\n  a: 1\n  a: 1\n", "line 3, x.a: written twice; the first is on line 2"),
        ("a: ''\n", "line 1, a: empty; leave the key out to get its default"),
        ("? [a]\n: 1\n", "line 1: a key must be text"),
        ("a: &x 1\nb: *x\n", "line 2, b: aliases are not supported; repeat the value"),
        ("a: &x\n  b: *x\n", "line 2, a.b: aliases are not supported; repeat the value"),
        (
            "a: !hunter2 b\n",
            "line 1, a: tags are not supported; quote a text that begins with !",
        ),
    ],
)
def test_problems_are_collected_with_line_and_key(read, text, problem):
    assert problems(read(text, EMPTY="")) == [problem]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a: 1\n b: 2\n", ", line 2, column 3: mapping values are not allowed here"),
        ("a: [1, 2\n", ", line 2, column 1: expected ',' or ']', but got '<stream end>'"),
        (
            "a:\n\tb: 1\n",
            ", line 2, column 1: found character '\\t' that cannot start any token",
        ),
        ("a: *hunter2\n", ", line 1, column 4: found undefined alias"),
        ("a: !hunter2!x\n", ", line 1, column 4: found undefined tag handle"),
        ("a: b\x07\n", ", line 1: character U+0007 is not allowed"),
        ("---\na: 1\n---\nb: 2\n", ", line 3, column 1: but found another document"),
        ("- a\n", ", line 1: not a mapping of sections"),
        ("text\n", ", line 1: not a mapping of sections"),
        ("[" * 1500, ": nested too deeply"),
        (b"a: \xff\n", ": not text in UTF-8"),
    ],
)
def test_what_is_not_a_yaml_mapping_is_refused_at_its_place(read, tmp_path, text, wrong):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert caught.value.what == f"{tmp_path / 'a.yaml'}{wrong}"


def test_an_unreadable_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(tmp_path / "none.yaml", env={})
    assert caught.value.what == f"{tmp_path / 'none.yaml'}: No such file or directory"
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_yaml(tmp_path, env={})


def test_a_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read(b"\xef\xbb\xbfa: 1\n").data == {"a": "1"}
