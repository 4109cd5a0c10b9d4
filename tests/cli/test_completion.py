from __future__ import annotations

import pytest

from ftcore.cli import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_prints_a_script_that_asks_ftcore(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    assert f"_FTCORE_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_a_shell_it_does_not_know_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "cmd"]) == 2
    assert "'cmd' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err
