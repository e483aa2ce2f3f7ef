"""`ws2sse check` says OK, or what is wrong."""

from pathlib import Path

import pytest

from bridge.cli import main


def test_a_good_file_is_explained_and_ends_with_ok(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret-value")
    file = tmp_path / "bridge.toml"
    file.write_text('upstream.sse.url = "http://127.0.0.1:9/{channel}?key=${TOKEN}"')
    assert main(["check", "--config", str(file), "--port", "81"]) == 0
    said = capsys.readouterr().out
    assert "http://127.0.0.1:81" in said
    assert "s3cret-value" not in said
    assert said.endswith("\nOK\n")


def test_a_bad_one_is_told_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('port = -1\nlog_level = "loud"')
    assert main(["check", "--config", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"ws2sse: {file}: port: must be greater than or equal to 0",
        f"ws2sse: {file}: log_level: must be 'debug', 'info', 'warning', 'error' or 'critical'",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'auth.mode = "jwt"\n[auth.jwt]\nalgorithms = ["RS256"]\nkey_files = ["/nope.pem"]',
            "auth.jwt.key_files: /nope.pem cannot be read: No such file or directory",
        ),
        (
            'history.persist = "sqlite"\nhistory.path = "/nodir/h.db"',
            "history.path: /nodir/h.db cannot be written: its folder is not there or not ours",
        ),
    ],
)
def test_what_a_start_would_read_and_write_is_looked_at(
    text: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(f'upstream.sse.url = "http://127.0.0.1:9/{{channel}}"\n{text}')
    assert main(["check", "--config", str(file)]) == 2
    assert capsys.readouterr().err == f"ws2sse: {line}\n"
