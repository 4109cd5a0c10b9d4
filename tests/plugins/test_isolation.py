from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable

import pytest

from ftcore.errors import PluginError, UsageError
from ftcore.plugins.isolation import describe, isolated


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def press_and_swallow() -> None:
    with contextlib.suppress(BaseException):
        press_ctrl_c()


def press_and_hide() -> None:
    try:
        press_ctrl_c()
    except BaseException as error:
        raise ImportError("something else") from error


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()]
)
def test_whatever_is_raised_becomes_a_plugin_error_with_that_cause(error: BaseException) -> None:
    with pytest.raises(PluginError) as caught, isolated():
        raise error
    assert caught.value.__cause__ is error
    assert type(error).__name__ in str(caught.value)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("press", [press_ctrl_c, press_and_swallow, press_and_hide])
def test_ctrl_c_of_the_user_stays_one_whatever_the_plugin_does(press: Callable[[], None]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), isolated():
        press()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_that_takes_ctrl_c_as_a_request_keeps_it() -> None:
    requests = []
    before = signal.signal(signal.SIGINT, lambda number, frame: requests.append(number))
    try:
        with isolated():
            press_ctrl_c()
    finally:
        signal.signal(signal.SIGINT, before)
    assert requests == [signal.SIGINT]


def test_it_works_off_the_main_thread() -> None:
    caught: list[str] = []

    def work() -> None:
        try:
            with isolated():
                raise KeyboardInterrupt
        except PluginError as error:
            caught.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert caught == ["KeyboardInterrupt"]


def test_prints_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with isolated():
        print("hello")
        sys.stdout.write("again\n")
    print("after")
    assert capsys.readouterr() == ("after\n", "hello\nagain\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (UsageError("said plainly"), "said plainly"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (UsageError(), "UsageError"),
    ],
)
def test_an_error_is_described_in_one_line(error: BaseException, line: str) -> None:
    assert describe(error) == line
