#!/usr/bin/env python3
"""The cookbook's front door. Needs nothing but Python.

  python cook.py lab      make everything ready, then open the first notebook in JupyterLab
  python cook.py talk     the same first conversation in this terminal (--wav in.wav --out out.wav: without devices)
  python cook.py doctor   what works here, what does not, and what to do about it
  python cook.py gateway  serve the models to any LiveKit program (--env: print its variables, --stop: end it)
  python cook.py test     run every test and every notebook

What follows the command is handed on: `lab --no-browser --port 8900`, `test tests/gateway -k barge`.
"""

# The oldest Python 3 must be able to read this file, or it could not say that it is too old:
# annotations stay quoted, and there is nothing newer than f-strings.

import contextlib
import ctypes.util
import glob
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = (3, 11)
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
STAMP = VENV / "lkcook.json"  # written when the environment is complete: no stamp, no environment
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PULSE_PLUGIN = "libasound_module_pcm_pulse.so"  # lets PortAudio, which knows ALSA, use PulseAudio's virtual devices


class Trouble(Exception):
    """What went wrong and what to do, in a sentence or two for the person at the keyboard."""


def main(arguments: "list[str]") -> int:
    """Run one command; returns the exit code."""
    if sys.version_info < NEEDED:
        say(too_old())
        return 1
    commands = {"lab": lab, "talk": talk, "doctor": doctor, "gateway": gateway, "test": test}
    if not arguments or arguments[0] not in commands:
        asked_for_help = arguments[:1] in (["-h"], ["--help"], ["help"])
        say(__doc__.strip())
        return 0 if asked_for_help else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except Trouble as trouble:
        say(trouble)
        return 1
    except KeyboardInterrupt:
        return 130  # what shells report for Ctrl-C


def lab(extra: "list[str]") -> int:
    """Everything ready, then JupyterLab on the first notebook."""
    make_environment("plugins")
    offer_sound()
    if not fetch_weights():
        say("Going on without the models: until they are here, calls need LiveKit Cloud's keys.")
    extra = [from_here(word) if word.endswith(".ipynb") else word for word in extra]
    notebook = [] if any(word.endswith(".ipynb") for word in extra) else [FIRST_NOTEBOOK]
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # JupyterLab insists
    os.chdir(str(HERE))
    exposed = ["--LabApp.expose_app_in_browser=True"]  # lkcook.Picker rewrites the recipe's cell through it
    return hand_over(["-m", "jupyterlab"] + notebook + root + exposed + extra)


def from_here(path: str) -> str:
    """`path` as seen from the cookbook's folder, in which JupyterLab is going to run."""
    return path if os.path.isabs(path) else os.path.relpath(path, str(HERE))


def talk(extra: "list[str]") -> int:
    """A conversation in this terminal."""
    make_environment()
    if "--wav" not in extra:
        offer_sound()
    return hand_over(["-m", "lkcook", "talk"] + extra)


def gateway(extra: "list[str]") -> int:
    """The models for any LiveKit program. Only `export` lines reach stdout: a shell evaluates them."""
    make_environment()
    if "--stop" not in extra and "-h" not in extra and "--help" not in extra and not fetch_weights():
        return 1
    return hand_over(["-m", "lkcook", "gateway"] + extra)


def doctor(extra: "list[str]") -> int:
    """The table from inside the environment, or, before there is one, what can be said from outside."""
    if is_ready():
        return hand_over(["-m", "lkcook", "doctor"] + extra)
    state = "is unfinished or out of date" if VENV.exists() else "does not exist yet"
    print(f"ok    Python       {sys.version.split()[0]}")
    print(f"FAIL  environment  {VENV} {state}  ->  python cook.py lab")
    missing = missing_sound_packages()
    print(f"FAIL  PortAudio    not found  ->  {sound_line(missing)}" if missing else "ok    PortAudio")
    return 1


def test(extra: "list[str]") -> int:
    """Every test and every notebook, or what `extra` selects. The exit code is 0 only when all of it passed."""
    make_environment("plugins", "test")
    offer_sound(for_tests=True)
    offer_browser()
    if not fetch_weights():
        return 1
    os.chdir(str(HERE))
    return hand_over(["-m", "tests.run"] + extra)


def make_environment(*wanted: str) -> None:
    """Make sure that .venv holds what pyproject.toml asks for (and those of its extras). Instant when it does."""
    if is_ready(*wanted):
        return
    with only_one():
        if is_ready(*wanted):  # another cook.py has just made it
            return
        extras = sorted({*wanted, *read_stamp().get("extras", [])})
        whole = read_stamp().get("made of") == made_of()
        adding = f"Adding {' and '.join(wanted)} ..."
        say(adding if whole else f"Making {VENV} (a minute or two, this time only) ...")
        keep = whole and PYTHON.exists()
        for tool in installers():
            if install(extras, tool, keep):
                break
            keep = False  # what the first could not fill is no start for the second
        else:
            raise Trouble("The packages could not be installed; the reason stands above. Then run the same line again.")
        STAMP.write_text(json.dumps({"made of": made_of(), "extras": extras}))


def is_ready(*wanted: str) -> bool:
    """True when .venv was finished for exactly this pyproject.toml, Python and folder, with the extras wanted."""
    stamp = read_stamp()
    complete = stamp.get("made of") == made_of() and PYTHON.exists()
    return complete and set(wanted) <= set(stamp["extras"])


def made_of() -> str:
    """Changes whenever .venv has to be made again."""
    parts = [(HERE / "pyproject.toml").read_bytes(), sys.version.encode(), str(HERE).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp() -> dict:
    """What was installed, or {} when .venv is missing or its making was interrupted."""
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def installers() -> "list[str]":
    """uv when it is here, because it is quick; pip always, because it knows the reader's index settings."""
    return [tool for tool in (shutil.which("uv"), "pip") if tool]


def install(extras: "list[str]", tool: str, keep: bool) -> bool:
    """Install the project with `tool` ("pip" or uv's path), into a new .venv unless `keep`. False when it failed."""
    project = f".[{','.join(extras)}]" if extras else "."
    if tool == "pip":
        make = [sys.executable, "-m", "venv", str(VENV)]
        fill = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-e", project]
    else:
        make = [tool, "venv", "--quiet", "--python", sys.executable, str(VENV)]
        fill = [tool, "pip", "install", "--python", str(PYTHON), "-e", project]
    if STAMP.exists():
        STAMP.unlink()  # from here on, and if it is interrupted, .venv counts as unfinished
    if keep and run(fill):
        return True
    if tool == "pip" and importlib.util.find_spec("ensurepip") is None:
        raise Trouble("This Python has no venv module. Debian, Ubuntu: sudo apt-get install python3-venv. Or install uv.")
    shutil.rmtree(str(VENV), ignore_errors=True)
    return run(make) and run(fill)


@contextlib.contextmanager
def only_one():
    """Holds other cook.py of this folder back; the system lets go of the lock even when we are killed."""
    with open(str(HERE / ".venv.lock"), "w") as lock:
        if os.name == "nt":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # it gives up after ten seconds
                    continue
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def offer_sound(for_tests: bool = False) -> None:
    """PortAudio on Linux: installed when that needs no password, else the line to run. Never an obstacle."""
    missing = missing_sound_packages(for_tests)
    if not missing or apt_install(missing):
        return
    say(f"For microphone and speaker, run: {sound_line(missing)}\n(Scripted callers need no sound device.)")


def offer_browser() -> None:
    """Chromium for the tests that open notebooks: the system's, or else the one playwright knows how to fetch."""
    if any(map(shutil.which, BROWSERS)):
        return
    if not (sys.platform.startswith("linux") and apt_install(["chromium"])):
        run([str(PYTHON), "-m", "playwright", "install", "chromium"])


def apt_install(packages: "list[str]") -> bool:
    """Install Debian packages if that needs no password. False when they are not there afterwards."""
    root = root_prefix()
    if root is None or not shutil.which("apt-get"):
        return False
    say(f"Installing {' '.join(packages)} with apt-get ...")
    apt = root + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    run(apt + ["update"])  # a stale source does not matter if the packages are found
    return run(apt + ["install", "-y", "--no-install-recommends"] + packages)


def missing_sound_packages(for_tests: bool = False) -> "list[str]":
    """Debian's names of what is missing. Only Linux: the wheels for macOS and Windows carry PortAudio."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [] if ctypes.util.find_library("portaudio") else ["libportaudio2"]
    if for_tests:  # virtual devices
        programs = {"pulseaudio": "pulseaudio", "paplay": "pulseaudio-utils"}
        missing += [package for program, package in programs.items() if not shutil.which(program)]
        if not any(glob.glob(f"/usr/lib{place}/alsa-lib/{PULSE_PLUGIN}") for place in ("", "64", "/*")):
            missing.append("libasound2-plugins")
    return missing


def root_prefix() -> "list[str] | None":
    """What to put before a command to run it as root without a password; None when there is no way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0:
        return ["sudo", "-n"]
    return None


def sound_line(missing: "list[str]") -> str:
    """The one line that installs PortAudio on this Linux."""
    others = {"dnf": "sudo dnf install portaudio", "pacman": "sudo pacman -S portaudio"}
    others["zypper"] = "sudo zypper install portaudio"
    lines = [line for program, line in others.items() if shutil.which(program)]
    return lines[0] if lines and not shutil.which("apt-get") else f"sudo apt-get install -y {' '.join(missing)}"


def fetch_weights() -> bool:
    """Bring the models here, with a progress bar. False when they could not be had; why was said."""
    return run([str(PYTHON), "-m", "lkcook", "weights"])


def hand_over(arguments: "list[str]") -> int:
    """Become the environment's Python, so that signals and the exit code are its own."""
    command = [str(PYTHON)] + arguments
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment())
    process = subprocess.Popen(command, env=environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # it got the Ctrl-C too, and decides what that means


def run(command: "list[str]") -> bool:
    """Run to the end in this folder, everything it prints on stderr. True when it succeeded."""
    return subprocess.call(command, cwd=str(HERE), env=environment(), stdout=sys.stderr) == 0


def environment() -> "dict[str, str]":
    """This process's variables, minus those that would lead another Python astray."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    kept["JUPYTER_PREFER_ENV_PATH"] = "1"  # its own python3 kernel before any the reader has registered
    return kept


def too_old() -> str:
    """The sentence for a Python that cannot run the cookbook."""
    needed, found = ".".join(map(str, NEEDED)), ".".join(map(str, sys.version_info[:3]))
    return (
        f"The cookbook needs Python {needed} or newer, and this is Python {found} ({sys.executable}).\n"
        f"Install a newer one from python.org or your package manager and run it by its name, e.g. python3.12 cook.py lab"
    )


def say(text: object) -> None:
    """Speak on stderr: stdout belongs to the command."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
