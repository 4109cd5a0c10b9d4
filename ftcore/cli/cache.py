"""`ftcore cache`: what frozen stages computed, kept for later runs."""

from __future__ import annotations

import json
from datetime import datetime

import click

from ftcore.cli.options import json_option


@click.group("cache")
def command() -> None:
    """Show or delete the features that runs have kept on disk.

    They are in the folder that FTCORE_CACHE_DIR names, and take up to FTCORE_CACHE_LIMIT (10GB);
    what was used longest ago is deleted first.
    """


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List what is kept, the last used first."""
    from ftcore import api
    from ftcore.record import format_bytes

    cache = api.feature_cache()
    entries = cache.entries()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "folder": str(cache.folder),
                    "limit": cache.limit,
                    "entries": [entry.to_json() for entry in entries],
                },
                indent=2,
            )
        )
        return
    for entry in entries:
        used = datetime.fromtimestamp(entry.used).astimezone()
        stages = entry.about.get("stages") or ["?"]
        what = f"{entry.about.get('backbone', '?')}, {stages[0]} to {stages[-1]}"
        if "sketches" in entry.about:
            what = f"sketches ({entry.about['sketches'].get('kind', '?')})"
        click.echo(
            f"{entry.key[:12]}  {what}  "
            f"{format_bytes(entry.bytes)}  last used {used:%Y-%m-%d %H:%M}"
        )
    total = format_bytes(sum(entry.bytes for entry in entries))
    click.echo(f"{total} of at most {format_bytes(cache.limit)} in {cache.folder}")


@command.command("clear")
@click.argument("keys", nargs=-1)
def clear(keys: tuple[str, ...]) -> None:
    """Delete the features with the given keys (as `list` shows them), or all."""
    from ftcore import api
    from ftcore.errors import UsageError
    from ftcore.record import format_bytes

    cache = api.feature_cache()
    entries = cache.entries()
    for key in keys:
        if not any(entry.key.startswith(key) for entry in entries):
            raise UsageError(f"no features have the key {key!r}; see ftcore cache list")
    chosen = [entry for entry in entries if not keys or entry.key.startswith(keys)]
    removed = [entry for entry in chosen if cache.remove(entry.key)]
    freed = format_bytes(sum(entry.bytes for entry in removed))
    click.echo(f"deleted {len(removed)} of {len(entries)} entries, {freed}")
    for entry in chosen:
        if entry not in removed:
            click.echo(f"kept {entry.key[:12]}: a run adds to it now")
