import pytest

from dp_assets.domains.maintenance.partition_words import PartitionWords


def words(kind: str, value: str, transform: str = "identity") -> str:
    metadata = {
        "schemas": [{"fields": [{"id": 1, "name": "c", "type": kind}]}],
        "partition-specs": [
            {"spec-id": 3, "fields": [{"name": "p", "transform": transform, "source-id": 1}]}
        ],
    }
    return PartitionWords(metadata)(3, f'{{"p":{value}}}')


@pytest.mark.parametrize(
    ("transform", "value", "text"),
    [
        ("year", "43", "p=2013"),
        ("year", "-1", "p=1969"),
        ("month", "516", "p=2013-01"),
        ("month", "-1", "p=1969-12"),
        ("day", "15706", "p=2013-01-01"),
        ("hour", "376957", "p=2013-01-01T13"),
        ("bucket[16]", "7", "p=7"),
        ("truncate[4]", '"abcd"', "p=abcd"),
        ("identity", "null", "p=null"),
        ("void", "null", ""),
        ("day", "99999999", "p=99999999"),
    ],
)
def test_transforms(transform, value, text):
    assert words("string", value, transform) == text


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("date", "15706", "p=2013-01-01"),
        ("timestamp", "1357045200500000", "p=2013-01-01T13:00:00.500000"),
        ("timestamptz", "1357045200000000", "p=2013-01-01T13:00:00"),
        ("time", "3600000000", "p=01:00:00"),
        ("decimal(9, 2)", '"fb2e"', "p=-12.34"),
        ("decimal(9,4)", '"0d05"', "p=0.3333"),
        ("uuid", '"123e4567e89b12d3a456426614174000"', "p=123e4567-e89b-12d3-a456-426614174000"),
        ("fixed[2]", '"ff00"', "p=0xff00"),
        ("boolean", "true", "p=true"),
        ("double", '"nan"', "p=nan"),
        ("string", '"x/y%25"', "p=x/y%25"),
        ("uuid", '"no uuid"', "p=no uuid"),
        ("date", "9999999999", "p=9999999999"),
    ],
)
def test_types(kind, value, text):
    assert words(kind, value) == text


def test_names_are_those_of_the_spec_by_place():
    """Avro cannot spell every name; a dropped column is in an older schema."""
    metadata = {
        "schemas": [
            {"fields": [{"id": 1, "name": "d", "type": "date"}]},
            {
                "fields": [
                    {
                        "id": 2,
                        "name": "s",
                        "type": {
                            "type": "struct",
                            "fields": [{"id": 3, "name": "größe", "type": "int"}],
                        },
                    }
                ]
            },
        ],
        "partition-specs": [
            {
                "spec-id": 0,
                "fields": [
                    {"name": "p-1", "transform": "identity", "source-id": 1},
                    {"name": "gone", "transform": "void", "source-id": 1},
                    {"name": "größe", "transform": "identity", "source-id": 3},
                ],
            }
        ],
    }
    text = '{"p_x2D1":15706,"gone":null,"gr_xF6_xDFe":5}'
    found = PartitionWords(metadata)
    assert found(0, text) == "p-1=2013-01-01, größe=5"
    assert found(7, '{"a":1,"b":null}') == "a=1, b=null"  # a spec that is not there
    assert found(0, "") == ""


def test_version_1_may_keep_one_spec_and_one_schema():
    found = PartitionWords(
        {
            "schema": {"fields": [{"id": 1, "name": "d", "type": "date"}]},
            "partition-spec": [{"name": "d", "transform": "identity", "source-id": 1}],
        }
    )
    assert found(0, '{"d":15706}') == "d=2013-01-01"
