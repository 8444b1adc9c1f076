"""`python -m lkcook weights|doctor|gateway|talk`: what `cook.py` hands over to, inside the environment it made."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence

from lkcook.errors import CookError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when it did what was asked. Errors for people go to stderr."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["talk"]:  # it has options of its own
        return _run(lambda: _talk(arguments[1:]))
    options = _parser().parse_args(arguments)
    return _run(lambda: options.command(options))


def _run(command: Callable[[], int]) -> int:
    try:
        return command()
    except CookError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # what shells report for Ctrl-C


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lkcook", description="The parts of the LiveKit cookbook.")
    commands = parser.add_subparsers(required=True, metavar="weights|doctor|gateway|talk")
    commands.add_parser("weights", help="fetch and verify the models").set_defaults(command=_weights)
    commands.add_parser("doctor", help="what works, what does not, what to do").set_defaults(command=_doctor)
    commands.add_parser("talk", help="the first conversation, in the terminal", add_help=False)
    gateway = commands.add_parser("gateway", help="the models, served on 127.0.0.1")
    gateway.set_defaults(command=_gateway)
    what = gateway.add_mutually_exclusive_group()
    what.add_argument("--env", action="store_true", help="make sure it runs; print the variables that select it")
    what.add_argument("--stop", action="store_true", help="stop it")
    shells = {"choices": list(_ASSIGN), "default": "sh", "help": "how --env writes them (default: sh)"}
    gateway.add_argument("--shell", **shells)
    return parser


def _weights(options: argparse.Namespace) -> int:
    from lkcook.engines import weights

    weights.fetch_all_with_progress(repair=True)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from lkcook.checks import doctor

    report = doctor()
    report.show()
    return 0 if report.ok else 1


def _gateway(options: argparse.Namespace) -> int:
    from lkcook.gateway import process, serving, variables

    if options.stop:
        print("The gateway has stopped." if process.stop() else "No gateway was running.")
    elif options.env:
        for name, value in variables.environment(process.ensure(), owner="shell").items():
            print(_ASSIGN[options.shell](name, value))
    else:
        serving.serve_forever()
    return 0


def _talk(arguments: list[str]) -> int:
    from lkcook import terminal

    return terminal.main(arguments) or 0


def _cmd(name: str, value: str) -> str:
    return f'set "{name}={value}"'


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$env:{name} = '{quoted}'"


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


_ASSIGN = {"sh": _sh, "powershell": _powershell, "cmd": _cmd}


if __name__ == "__main__":
    sys.exit(main())
