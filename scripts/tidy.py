"""clang-tidy over the files of src/ (tests aside) that changed since it last found them clean.

usage: tidy.py BUILD_FOLDER

A file counts as unchanged when its preprocessed text (comments kept: NOLINT stands in them), its
.clang-tidy and the version of clang-tidy are the same as then: those make the name of an empty
stamp file. So a change in a header brings up exactly the files that see it, on any branch.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
STAMPS = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    / "certherd"
    / "tidy"
)


def own_flags(command):
    """The compiler and its flags, without launcher, precompiled header, input and output."""
    words = shlex.split(command)
    compiler = next(i for i, word in enumerate(words) if pathlib.Path(word).name.startswith("clang"))
    flags, rest = [words[compiler]], iter(words[compiler + 1 :])
    for word in rest:
        if word in ("-o", "-c"):
            next(rest)
        elif word == "-Xclang":
            flag = next(rest)
            if flag in ("-include-pch", "-include"):
                next(rest), next(rest)  # -Xclang FILE
        elif word not in ("-Winvalid-pch", "-fpch-instantiate-templates"):
            flags.append(word)
    return flags


def check(file, folder, flags, base_key):
    """Returns (was it cached, what clang-tidy said when it is not clean)."""
    seen = subprocess.run([*flags, "-E", "-C", file], cwd=folder, capture_output=True)
    if seen.returncode != 0:
        return False, seen.stderr.decode(errors="replace")
    # Checkouts in several places share their stamps.
    text = seen.stdout.replace(os.fsencode(ROOT), b"")
    stamp = STAMPS / hashlib.sha256(base_key + text).hexdigest()
    if stamp.exists():
        stamp.touch()
        return True, None
    run = subprocess.run(
        [TIDY, "--quiet", file, "--", *flags[1:]], cwd=folder, capture_output=True, text=True
    )
    if run.returncode != 0:
        return False, run.stdout or run.stderr  # stderr only counts warnings of system headers
    stamp.touch()
    return False, None


def main():
    build = ROOT / sys.argv[1]
    STAMPS.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    base_key = version + (ROOT / ".clang-tidy").read_bytes()
    jobs = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = entry["file"]
        if file.startswith(f"{ROOT}/src/") and not file.endswith("_test.cpp"):
            jobs.append((file, entry["directory"], own_flags(entry["command"]), base_key))

    cached, unclean = 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for was_cached, complaint in pool.map(lambda job: check(*job), jobs):
            cached += was_cached
            if complaint is not None:
                unclean += 1
                print(complaint, flush=True)
    print(f"clang-tidy: {len(jobs) - cached} checked, {cached} unchanged, {unclean} not clean")
    return 1 if unclean else 0


if __name__ == "__main__":
    sys.exit(main())
