"""What is relied on of uvicorn is there."""

import uvicorn

from bridge.endpoint.relied_on import missing


def test_the_installed_uvicorn_has_what_taking_over_relies_on() -> None:
    lacking = ", ".join(missing())
    assert not lacking, (
        f"uvicorn {uvicorn.__version__} no longer has {lacking}, which bridge/endpoint/takeover.py "
        "relies on: mend it there, or hold uvicorn back"
    )


def test_what_is_not_there_is_named() -> None:
    class Changed:
        def __init__(self) -> None:
            self.transport = None

        def stop(self) -> None: ...

    assert list(missing({Changed: ("transport", "stop", "conn")})) == ["Changed.conn"]
