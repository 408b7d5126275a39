"""The test of the tests: see scripts/mutants.

A mutant is one file of the program with one place changed. Its object is linked in front of the
libraries of a release build, so that nothing else is built anew.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Mutant:
    name: str
    what: str  # is taken out
    path: str
    before: str
    after: str
    promise: str  # that has to be found broken
    scenario: str = 'like = "chaos"\n'


MUTANTS = [
    Mutant(
        "journal",
        "the journal write before finalize",
        "src/fleet/issuance/steps.cpp",
        """  auto held = co_await ports_.store->commit(std::move(issuance), {});
  if (!held) co_return fail(std::move(held.error()).during("finalize"));
""",
        """  auto held = Result<Issuance>(std::move(issuance));
""",
        "a finalize is journalled first",
    ),
    Mutant(
        "ledger",
        "the ledger entry before a value is sent",
        "src/dns/zone_sender.cpp",
        "  if (!co_await record_batch()) co_return;\n",
        "",
        "every value in a zone is in the ledger",
    ),
    Mutant(
        "merge",
        "the values of others when a record set is written",
        "src/dns/route53/record_changes.cpp",
        "    if (value) standing.insert(*value);\n    next.texts.push_back(text);\n",
        "    if (value && wanted.ensured.contains(*value)) {\n"
        "      standing.insert(*value);\n      next.texts.push_back(text);\n    }\n",
        "nothing of others is touched",
    ),
    Mutant(
        "one-request",
        "the rule that a zone has one request at a time",
        "src/dns/change_batcher.cpp",
        "senders_.try_emplace(zone.id, zone,",
        'senders_.try_emplace(ZoneId(fmt::format("{} {}", zone.id, calls_)), zone,',
        "a zone has one request at a time",
        # At five calls a second the budget alone would keep them apart.
        'like = "chaos"\ndelegated = true\ncalls_per_second = 200\n',
    ),
    Mutant(
        "budget",
        "the budget for orders and renewals at the CA",
        "src/fleet/executor_steps.cpp",
        "  if (!*asked) co_return true;\n",
        "  if (!*asked || ca == ca) co_return true;\n",
        "no limit of the CA is exceeded",
    ),
    Mutant(
        "slow-lane",
        "the pauses after failures",
        "src/policy/backoff.cpp",
        "lane = {1min, 10min, 100min, 24h};",
        "lane = {1s, 1s, 1s, 1s};",
        "who fails is left alone",
        # So that all are due while some are broken.
        'like = "chaos"\n[[recalls]]\nafter = "30d"\nshare = 1.0\nwithin = "24h"\n',
    ),
]


def fail(reason, remedy):
    sys.exit(f"\nfailed: {reason}\nremedy: {remedy}")


def commands(build, target):
    made = subprocess.run(
        ["ninja", "-C", str(build), "-t", "commands", target],
        check=True, capture_output=True, text=True,
    )
    return [line for line in made.stdout.splitlines() if line]


def compile_command(build, source):
    """The compiler's words for this source, without those about its output."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) == ROOT / source:
            words = shlex.split(entry["command"])
            first = next(i for i, word in enumerate(words) if "clang++" in word)
            words = words[first:]
            at = words.index("-o")
            return words[:at] + words[at + 2 : -2]
    fail(f"{source} is not in {build}", "scripts/build")


def make(build, mutant, folder):
    text = (ROOT / mutant.path).read_text()
    if text.count(mutant.before) != 1:
        fail(
            f"{mutant.path} has changed: the place of the mutant \"{mutant.name}\" is not in it",
            "tell scripts/mutants.py where it is now",
        )
    source = folder / pathlib.Path(mutant.path).name
    source.write_text(text.replace(mutant.before, mutant.after))
    compiled = folder / "mutant.o"
    words = compile_command(build, mutant.path)
    # Headers beside the source are included from the rooms' root.
    subprocess.run(
        [*words, "-Wno-everything", "-o", str(compiled), "-c", str(source)], check=True, cwd=build
    )
    link = re.sub(r"^: && |&& :$", "", commands(build, "certherd")[-1]).strip()
    words = shlex.split(link)
    at = words.index("-o")
    words[at + 1] = str(folder / "certherd")
    words.insert(at, str(compiled))
    subprocess.run(words, check=True, cwd=build)
    return folder / "certherd"


def is_found(program, mutant, folder, seeds):
    scenario = folder / "scenario.toml"
    scenario.write_text(mutant.scenario)
    for seed in range(1, seeds + 1):
        run = subprocess.run(
            [
                str(program), "--json", "--quiet", "simulate", "--scenario", str(scenario),
                "--domains", "60", "--days", "60", "--seed", str(seed), "--store", "memory",
            ],
            capture_output=True, text=True, check=False,
        )
        if run.returncode == 1 and mutant.promise in run.stdout:
            return seed
    return None


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/mutants", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="mutants: " + ", ".join(mutant.name for mutant in MUTANTS),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="these alone")
    parser.add_argument("--build", default="build", help="a release build (%(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="tries at most (%(default)s)")
    options = parser.parse_args()
    known = {mutant.name for mutant in MUTANTS}
    for name in options.names:
        if name not in known:
            fail(f"there is no mutant {name}", "scripts/mutants --help")
    build = (ROOT / options.build).resolve()
    if not (build / "certherd").exists():
        fail(f"there is no program in {build}", "scripts/build")
    survivors = []
    with tempfile.TemporaryDirectory() as temporary:
        original = Mutant("none", "nothing", "", "", "", "")
        if is_found(build / "certherd", dataclasses.replace(original, promise=""),
                    pathlib.Path(temporary), options.seeds):
            fail("the simulation fails without any mutant", "certherd simulate --scenario chaos")
        for mutant in MUTANTS:
            if options.names and mutant.name not in options.names:
                continue
            folder = pathlib.Path(temporary) / mutant.name
            folder.mkdir()
            seed = is_found(make(build, mutant, folder), mutant, folder, options.seeds)
            if seed is None:
                survivors.append(mutant.name)
                print(f"{mutant.name:<12} SURVIVED without {mutant.what}", flush=True)
            else:
                print(f"{mutant.name:<12} found with seed {seed}: {mutant.promise}", flush=True)
    if survivors:
        fail("the simulation did not find: " + ", ".join(survivors),
             "make src/sim/promises.cpp look closer")


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    main()
