"""Fails where src/ reads time, sleeps, draws random numbers or reads the environment outside the
rooms that may: everything else takes them as arguments, so that tests can turn them."""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src"

# What, in which rooms it is allowed, and how it is recognised once comments and strings are out.
RULES = [
    (
        "reads the time",
        {"runtime"},
        r"_clock\s*::\s*now\b|\b(?:gettimeofday|clock_gettime|timespec_get)\s*\("
        r"|\btime\s*\(\s*(?:nullptr|NULL|0|&)",
    ),
    (
        "sleeps",
        {"runtime"},
        r"\bsleep_for\s*<|this_thread\s*::\s*sleep|(?<![\w.>])(?:u|nano)?sleep\s*\(",
    ),
    (
        "draws random numbers",
        {"runtime"},
        r"\brandom_device\b|\bmt19937|\bdefault_random_engine\b|\bgetrandom\s*\("
        r"|(?<![\w.>])(?:rand|random)\s*\(\s*\)|(?<![\w.>])s(?:rand|random)\s*\(|\barc4random",
    ),
    # crypto draws its keys and nonces from OpenSSL's own generator.
    ("draws random numbers", {"runtime", "crypto"}, r"\bRAND_(?:priv_)?bytes\b"),
    (
        "reads the environment",
        {"app", "cli", "demo", "config", "aws", "http", "deploy", "runtime"},  # runtime hands ours on to children
        r"\b(?:secure_)?getenv\s*\(|\benviron\b",
    ),
]
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def main():
    faults = []
    for path in sorted(SOURCE.rglob("*.?pp")):
        name = path.relative_to(SOURCE).as_posix()
        room = name.split("/")[0]
        is_test = name.endswith("_test.cpp")
        text = NOISE.sub(blank, path.read_text())
        for what, rooms, pattern in RULES:
            # A test may set up an environment, and may measure how long something really takes.
            if room in rooms or is_test and what.startswith("reads"):
                continue
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                faults.append(f"src/{name}:{line}: {what}: {match.group(0).strip()}")
    print(*faults, f"{len(faults)} forbidden calls", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
