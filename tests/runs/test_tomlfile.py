"""TOML files: what is wrong with one is said in a sentence with file, key and fix."""

from pathlib import Path

import pytest
from pydantic import Field

from runs.errors import InputError
from runs.tomlfile import LARGEST_FILE, Table, load, parse, parse_toml, read_toml


class Wheel(Table):
    size: int = Field(ge=1)


class Car(Table):
    name: str
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None


def _written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "car.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_file_is_read_into_its_model(tmp_path: Path) -> None:
    path = _written(tmp_path, 'name = "Nº 1"\n[[wheels]]\nsize = 3\n[spare]\nsize = 4\n')
    assert load(Car, path) == Car(name="Nº 1", wheels=(Wheel(size=3),), spare=Wheel(size=4))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('name = "a"\nspair = 1', "unknown key 'spair'; did you mean 'spare'?"),
        ("wheels = []", "'name' is missing; add it."),
        ('nam = "a"', "unknown key 'nam'; did you mean 'name'? (1 more like this in the file.)"),
        ('name = "a"\n[[wheels]]\nsize = 1\n[[wheels]]\nsze = 2', "unknown key 'wheels[2].sze'; did you mean 'size'?"),
        ('name = "a"\n[spare]\nsize = 0', "'spare.size' is 0: input should be greater than or equal to 1."),
        ("name = 5", "'name' is 5: input should be a valid string."),
    ],
)
def test_what_does_not_fit_is_told_with_its_key(tmp_path: Path, content: str, told: str) -> None:
    path = _written(tmp_path, content)
    with pytest.raises(InputError) as problem:
        load(Car, path)
    assert str(problem.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00", "byte 0 is not UTF-8; save the file as UTF-8."),
        (b"\x00\x01", "not valid TOML"),
        ("name = ", "not valid TOML"),
        ("a = 1\na = 2", "not valid TOML"),
        (b"a = " + b"[" * 100_000, "tables or lists stand too deep inside each other."),
        (b"a = " + b"[" * 40 + b"]" * 40, "tables or lists stand more than 32 deep inside each other."),
        (b"a = " + b"9" * 5000, "holds a number of more digits than Python reads."),
        # tomllib takes the square of the parts: an hour for a file of four megabytes.
        (b"a" + b".a" * 2_000_000 + b" = 1", "a key has more than 32 parts;"),
        (b'["a"' + b" . 'b'" * 40 + b"]", "a key has more than 32 parts;"),
    ],
)
def test_what_is_no_toml_is_told_without_a_traceback(tmp_path: Path, content: str | bytes, told: str) -> None:
    path = _written(tmp_path, content)
    with pytest.raises(InputError) as problem:
        read_toml(path)
    assert str(problem.value).startswith(f"{path}: {told}")


def test_a_file_that_is_not_there_a_folder_and_a_giant_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml: there is no such file\.$"):
        read_toml(tmp_path / "gone.toml")
    with pytest.raises(InputError, match=r": is a folder; name a file\.$"):
        read_toml(tmp_path)
    giant = tmp_path / "giant.toml"
    with giant.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(InputError, match=r"giant\.toml: is larger than 4 MiB"):
        read_toml(giant)


def test_long_values_are_cut_in_the_sentence() -> None:
    with pytest.raises(InputError) as problem:
        parse(Car, {"name": ["x" * 500]}, "here")
    assert str(problem.value).startswith("here: 'name' is ['xxx")
    assert len(str(problem.value)) < 200


def test_a_number_that_python_cannot_print_is_told() -> None:
    with pytest.raises(InputError, match="'name' is a number of thousands of digits: "):
        parse(Car, parse_toml(b"name = 0x" + b"f" * 10_000, "here"), "here")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_toml(b"\xef\xbb\xbfname = 1", "here") == {"name": 1}


def test_tables_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Wheel(size=1).size = 2  # type: ignore[misc]
