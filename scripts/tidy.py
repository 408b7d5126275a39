"""clang-tidy over the files of src/ (tests aside) that changed since it last found them clean.

usage: tidy.py BUILD_FOLDER

A file counts as unchanged when its preprocessed text (comments kept: NOLINT stands in them), its
.clang-tidy and the version of clang-tidy are the same as then: those make the name of an empty
stamp file. So a change in a header brings up exactly the files that see it, on any branch.

Nearly all of clang-tidy's time goes into the headers that a file includes. So files of one room
are checked together, as one text that includes them all. Where two of them use one name for
different things that text does not compile, and they are checked apart.
"""

import concurrent.futures
import hashlib
import json
import os
import itertools
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
TOGETHER = 8
DOES_NOT_COMPILE = "[clang-diagnostic-error]"
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


def stamp_of(file, folder, flags, base_key):
    """Where it is noted that the file is clean."""
    seen = subprocess.run([*flags, "-E", "-C", file], cwd=folder, capture_output=True)
    if seen.returncode != 0:
        sys.exit(seen.stderr.decode(errors="replace"))
    # Checkouts in several places share their stamps.
    text = seen.stdout.replace(os.fsencode(ROOT), b"")
    return STAMPS / hashlib.sha256(base_key + text).hexdigest()


def complaints_about(files, folder, flags):
    """What clang-tidy says of files that are compiled by the same flags; none when all is well."""
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as together:
        together.write("".join(f'#include "{file}"\n' for file in files))
        together.flush()
        run = subprocess.run(
            [
                TIDY,
                "--quiet",
                f"--config-file={ROOT}/.clang-tidy",  # else looked for beside the text
                together.name if len(files) > 1 else files[0],
                "--",
                *flags[1:],
            ],
            cwd=folder,
            capture_output=True,
            text=True,
        )
    if run.returncode == 0:
        return []
    said = run.stdout or run.stderr  # stderr only counts warnings of system headers
    if len(files) == 1 or DOES_NOT_COMPILE not in said:
        return [said]
    faulty = set(re.findall(r"^(/\S+?):\d+:\d+: error: .*" + re.escape(DOES_NOT_COMPILE), said, re.M))
    apart = [file for file in files[1:] if file in faulty] or files[len(files) // 2 :]
    rest = [file for file in files if file not in apart]
    return complaints_about(rest, folder, flags) + complaints_about(apart, folder, flags)


def check(files, folder, flags):
    """Notes that they are clean, or tells what is wrong. `files`: by file, where to note it."""
    complaints = complaints_about(list(files), folder, flags)
    if not complaints:
        for stamp in files.values():
            stamp.touch()
    return complaints


def main():
    build = ROOT / sys.argv[1]
    STAMPS.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    base_key = version + (ROOT / ".clang-tidy").read_bytes() + pathlib.Path(__file__).read_bytes()
    files = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = entry["file"]
        if file.startswith(f"{ROOT}/src/") and not file.endswith("_test.cpp"):
            files.append((entry["directory"], own_flags(entry["command"]), file))
    files.sort()

    complaints = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        stamps = pool.map(lambda each: stamp_of(each[2], *each[:2], base_key), files)
        changed = []
        for each, stamp in zip(files, stamps):
            if stamp.exists():
                stamp.touch()
            else:
                changed.append((*each, stamp))
        groups = []
        for (folder, flags), same in itertools.groupby(changed, lambda each: each[:2]):
            same = [(file, stamp) for _, _, file, stamp in same]
            for first in range(0, len(same), TOGETHER):
                groups.append((dict(same[first : first + TOGETHER]), folder, flags))
        for told in pool.map(lambda group: check(*group), groups):
            complaints += told
            for complaint in told:
                print(complaint, flush=True)
    print(
        f"clang-tidy: {len(changed)} checked, {len(files) - len(changed)} unchanged, "
        f"{'not clean' if complaints else 'clean'}"
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
