"""The real service among real servers for an hour, with faults: see scripts/soak.

usage: soak.py --certherd PROGRAM [--hours N | --minutes N] [--domains N] [--validity SECONDS]
               [--seed N] [--keep FOLDER]
"""

import argparse
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict

import books
import figures
import served
from faults import AFTERMATH, RECOVERY, Faults
from stage import AWS_SECTION, FOREIGN, Stage, Unexpected, wait_for

SAMPLE_EVERY = 5
TELL_EVERY = 60
SPARE = 5
FIRST_WITHIN = 300
CLOSE_WITHIN = 120
# How long a write to Route 53 may come true (route53_late in src/app/app.cpp), and the sweep after.
COMES_TRUE_WITHIN = 660

# What is too much, once the last process has lived for long enough (figures.LEAST_SPAN).
MOST_GROWTH = 16.0  # MiB an hour
MOST_DESCRIPTORS = 8
MOST_THREADS = 2


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser()
    options.add_argument("--certherd", type=pathlib.Path, required=True)
    options.add_argument("--hours", type=float, default=1)
    options.add_argument("--minutes", type=float)
    options.add_argument("--domains", type=int, default=50)
    options.add_argument("--validity", type=int, default=360)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options.add_argument("--keep", type=pathlib.Path)
    return options.parse_args()


def clock() -> str:
    return time.strftime("%H:%M:%S")


def tell(text: str) -> None:
    print(f"{clock()} {text}", flush=True)


def is_remembered(entry: books.Entry) -> bool:
    """What a process that has ended had sent to Route 53 stays in the ledger, removed as it is,
    until it cannot come true any more."""
    return entry.dns == AWS_SECTION and time.time() - entry.recorded_at < COMES_TRUE_WITHIN


class Soak:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path) -> None:
        self.broken: list[str] = []
        self.stop = threading.Event()
        self._options = options
        self._span = (options.minutes or options.hours * 60) * 60
        self._stage = Stage(folder, options.certherd, options.domains, SPARE, options.validity)
        self._faults = Faults(self._stage, options.seed, self.stop, tell)
        self._store = books.Store(folder / "state.db")
        self._samples: list[figures.Sample] = []
        self._missed: dict[str, list[float]] = defaultdict(list)
        self._excused: dict[str, list[float]] = defaultdict(list)
        self._watch: served.Watch | None = None
        self._observing = threading.Event()
        self._began = time.time()

    def run(self) -> None:
        """All of it; what does not go as it should is in `broken`."""
        observer = threading.Thread(target=self._observe, daemon=True)
        try:
            self._stage.set_up()
            self._stage.start_service()
            observer.start()
            tell("the service runs; waiting for the first certificates")
            wait_for("the first certificates", self._all_have_one, FIRST_WITHIN)
            self._watch = served.Watch(
                self._stage.edge_port, lambda: list(self._faults.names), self._on_expired
            )
            self._watch.start()
            self._trouble()
            self._close()
        except Unexpected as error:
            self.broken.append(str(error))
        except KeyboardInterrupt:
            tell("interrupted once more: ending at once")
            self.broken.append("interrupted before the end")
        finally:
            self._observing.set()
            if self._watch and self._watch.is_alive():
                self._watch.end()
            self._stage.strike()
        if observer.is_alive():
            observer.join()

    def _all_have_one(self) -> bool:
        self._stage.check_programs()
        return not self._store.without_certificate() or self.stop.is_set()

    def _trouble(self) -> None:
        """Faults for the time that was asked for; in its second half certherd is not killed, so
        that one process lives long enough to be judged."""
        begin = time.time()
        next_at = begin + self._faults.gap()
        while not self.stop.is_set() and time.time() < begin + self._span:
            self._stage.check_programs()
            self._faults.may_kill = time.time() < begin + self._span / 2
            if time.time() >= next_at:
                self._faults.another()
                next_at = time.time() + self._faults.gap()
            self.stop.wait(0.2)

    def _close(self) -> None:
        """Without faults all comes to its end, and nothing may be left."""
        tell("no more faults: every domain gets a certificate once more, and is held then")
        self._stage.check_programs()
        issued = self._stage.command("--quiet", "issue", "--all")
        if issued.returncode:
            words = issued.stderr or issued.stdout
            self.broken.append(f"after the last fault, certherd issue --all has failed: {words}")
        if self._watch:
            self._watch.end()
        for name in self._faults.names:
            self._stage.run("domain", "set", name, "hold=yes")
        end = time.time() + CLOSE_WITHIN
        while (self._store.at_work() or self._values_left()) and time.time() < end:
            time.sleep(1)
        for name in self._store.at_work():
            self.broken.append(f"{name} is still worked on after {CLOSE_WITHIN} s without a fault")
        self.broken += self._values_left()
        for name, held in self._stage.ask_aws("secrets", {"prefix": "tls/"}).items():
            self.broken += [f"the secrets of {name}: {fault}" for fault in held["faults"]]
        self._observing.set()
        self._stage.check_programs()
        self._stage.service.send(signal.SIGTERM)
        if status := self._stage.service.wait():
            words = f"certherd ends with {status} at SIGTERM"
            self.broken.append(f"{words}: see {self._stage.certherd_log}")

    def _values_left(self) -> list[str]:
        """What should not be there once nothing is under way, in words."""
        standing = {
            (each["name"], value.strip('"'))
            for each in self._stage.ask_aws("texts", {})
            for value in each["values"]
        }
        foreign = (self._stage.foreign_name, FOREIGN.strip('"'))
        left = [] if foreign in standing else ["somebody else's value in Route 53 has gone"]
        left += [
            f"a value was left in Route 53 at {name}: {value}"
            for name, value in sorted(standing - {foreign})
        ]
        left += [
            f"the ledger still holds {entry.value} at {entry.name}"
            for entry in self._store.ledger()
            if not is_remembered(entry)
        ]
        return left

    # Beside it, in threads of their own.

    def _observe(self) -> None:
        next_words = time.time() + TELL_EVERY
        while not self._observing.wait(SAMPLE_EVERY):
            stage = self._stage
            if sample := figures.look(time.time(), stage.life, stage.service.pid):
                self._samples.append(sample)
            if time.time() >= next_words:
                next_words += TELL_EVERY
                self._progress()

    def _progress(self) -> None:
        minutes = (time.time() - self._began) / 60
        issued = self._store.counts()["certificate.issued"]
        last = self._samples[-1]
        tell(
            f"-- {minutes:.0f} min: {issued} certificates, {self._faults.done.total()} faults, "
            f"{last.memory:.0f} MiB, {last.descriptors} descriptors, {last.threads} threads, "
            f"{len(self._missed)} domains missed"
        )

    def _on_expired(self, name: str, now: float, not_after: float) -> None:
        """Served though it had ended. A fault of now is a reason, and so is a pause that the
        service makes after a failure in the wake of a fault."""
        faults = self._faults
        fresh = now - faults.changed_at.get(name, 0) < AFTERMATH
        excused = fresh or faults.near(now, RECOVERY)
        if not excused and (wait := self._store.wait_of(name)):
            excused = now < wait.until + RECOVERY and faults.near(wait.failed_at, AFTERMATH)
        if name not in faults.names:
            return
        (self._excused if excused else self._missed)[name].append(now - not_after)
        if not excused and len(self._missed[name]) == 1:
            ago = f"{now - not_after:.0f} s ago"
            tell(f"MISSED: {name} is served with a certificate that ended {ago}")

    # The verdict.

    def report(self) -> None:
        print("\nreport")
        self._report_machine()
        self._report_served()
        self._report_books()
        print()
        for text in self.broken:
            print(f"broken: {text}")
        print(
            f"seed {self._options.seed}: "
            + (f"bounds broken: {len(self.broken)}" if self.broken else "all bounds held")
        )

    def _row(self, what: str, text: str) -> None:
        print(f"  {what:<24}{text}")

    def _report_machine(self) -> None:
        if not self._samples:
            return
        own = figures.last_life(self._samples)
        span = figures.span(own)
        judged = span >= figures.LEAST_SPAN
        quarter = max(1, len(own) // 4)

        def row(what: str, unit: str, most: float, of) -> None:
            values = [of(each) for each in self._samples]
            slope = figures.growth([(each.at, of(each)) for each in own])
            first = min(of(each) for each in own[:quarter])
            last = min(of(each) for each in own[-quarter:])
            self._row(
                what,
                f"{values[0]:.0f} at first, {max(values):.0f} at most, {values[-1]:.0f} at last; "
                f"of the last process {first:.0f} → {last:.0f}"
                + (f", {slope:+.1f} {unit}an hour" if judged else ""),
            )
            grown = slope if unit else last - first
            if judged and grown > most:
                words = f"{what}: grows by {grown:.1f} {unit}where {most:.0f} is allowed"
                self.broken.append(words)

        row("memory (MiB)", "MiB ", MOST_GROWTH, lambda each: each.memory)
        row("descriptors", "", MOST_DESCRIPTORS, lambda each: each.descriptors)
        row("threads", "", MOST_THREADS, lambda each: each.threads)
        processes = f"{self._stage.life} processes"
        self._row("", f"{processes}; the last one was looked at for {span:.0f} s once warm")
        if not judged:
            self._row("", f"growth is judged from {figures.LEAST_SPAN} s on")

    def _report_served(self) -> None:
        watch = self._watch
        if not watch:
            return
        self._row("looks by TLS", f"{watch.looks}, {watch.unanswered} of them without an answer")
        self._row("least time left", f"{watch.least_left:.0f} s of {self._options.validity}")
        both = {"missed deadlines": self._missed, "late through faults": self._excused}
        for what, late in both.items():
            longest = max((max(each) for each in late.values()), default=0)
            self._row(what, f"{len(late)} domains" + (f", {longest:.0f} s at most" if late else ""))
        for name, late in sorted(self._missed.items()):
            words = f"{name} was served expired, {max(late):.0f} s at most, without a reason"
            self.broken.append(words)

    def _report_books(self) -> None:
        try:
            counts = self._store.counts()
            failures = self._store.failures()
            ledger = self._store.ledger()
        except Exception as error:  # not even made, or torn: said, and what else is known is told
            self._row("store", f"cannot be read: {error}")
            return
        issued, orders = counts["certificate.issued"], counts["order.placed"]
        self._row("certificates issued", str(issued))
        self._row("orders", f"{orders}, {orders / issued if issued else 0:.2f} for a certificate")
        self._row("put off, given up", f"{counts['issuance.put_off']}, {counts['issuance.failed']}")
        remembered = sum(is_remembered(entry) for entry in ledger)
        words = f"{len(ledger)}, {remembered} of them remembered for what may still come true"
        self._row("values in the ledger", words)
        faults = ", ".join(f"{count} {what}" for what, count in sorted(self._faults.done.items()))
        self._row("faults", faults or "none")
        for at, domain, why in failures:
            if not self._faults.near(at, AFTERMATH):
                self.broken.append(f"{domain} failed while no fault was near: {why}")

        lines, others = books.read_log(self._stage.certherd_log)
        levels = Counter(line.level for line in lines)
        self._row("log", f"{levels['error']} errors, {levels['warning']} warnings")
        kinds = Counter(line.kind() for line in lines if line.level in ("error", "warning"))
        for kind, count in kinds.most_common(10):
            self._row("", f"{count} × {kind}")
        for text in others[:10]:
            self.broken.append(f"certherd has said what is no line of its log: {text}")


def main() -> int:
    options = parse()
    if options.keep:
        folder = options.keep.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            sys.exit(f"{folder} is not empty: name a new folder")
        folder.chmod(0o700)
    else:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="certherd-soak-"))
    fleet = f"{options.domains} domains, certificates of {options.validity} s"
    tell(f"seed {options.seed}, {fleet}, in {folder}")
    soak = Soak(options, folder)

    def on_signal(*_: object) -> None:
        if soak.stop.is_set():
            raise KeyboardInterrupt
        tell("interrupted: coming to an end; once more ends at once")
        soak.stop.set()

    # What looks in the background must not fall silent.
    threading.excepthook = lambda failed: soak.broken.append(
        f"a thread of the soak has ended: {failed.exc_value!r}"
    )
    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    soak.run()
    soak.report()
    if options.keep or soak.broken:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if soak.broken else 0


if __name__ == "__main__":
    sys.exit(main())
