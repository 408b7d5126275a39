"""What happens to the service and to what it works with, one thing at a time."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stage import Stage, Unexpected

AFTERMATH = 60  # seconds in which a fault may still show: time-outs, and waits of half a minute
RECOVERY = 20  # seconds that work takes which begins at once
LONGEST = 15.0
# Faults come in bursts. In the calm between them what failed recovers, and nothing else may fail.
BURST = 4
WITHIN_BURST = (10, 40)
CALM = (2 * AFTERMATH, 3 * AFTERMATH)


class Faults:
    """Draws them from one seed. What it knows of the inventory is in `names`."""

    def __init__(self, stage: Stage, seed: int, stop: threading.Event, tell: Callable[[str], None]):
        self.names = list(stage.names)
        self.changed_at: dict[str, float] = {}
        self.done: Counter[str] = Counter()
        self.may_kill = True
        self._stage = stage
        self._random = random.Random(seed)
        self._stop = stop
        self._tell = tell
        self._spare = list(stage.spare)
        self._times: list[list[float]] = []
        self._kinds: list[tuple[int, Callable[[], str]]] = [
            (3, self._kill),
            (2, self._freeze_certherd),
            (3, self._freeze_pebble),
            (2, self._freeze_nginx),
            (2, self._freeze_aws),
            (2, self._replace_pebble),
            (2, self._silence_responder),
            (1, self._silence_aws),
            (1, self._reload),
            (1, self._break_config),
            (2, self._add),
            (2, self._remove),
            (2, self._change),
            (1, self._issue),
        ]

    def gap(self) -> float:
        """Seconds until the next one."""
        calm = self.done.total() % BURST == BURST - 1
        return self._random.uniform(*(CALM if calm else WITHIN_BURST))

    def another(self) -> None:
        weights = [weight for weight, _ in self._kinds]
        kind = self._random.choices([kind for _, kind in self._kinds], weights)[0]
        if kind == self._kill and not self.may_kill:
            kind = self._reload
        self.done[kind.__name__.strip("_").replace("_", " ")] += 1
        self._tell(kind())

    def near(self, at: float, within: float) -> bool:
        """Whether there was one at that time, or had been within so many seconds before it."""
        return any(begin <= at <= end + within for begin, end in list(self._times))

    @contextmanager
    def _fault(self) -> Iterator[None]:
        times = [time.time(), float("inf")]
        self._times.append(times)
        try:
            yield
        finally:
            times[1] = time.time()

    def _while(self) -> float:
        """A time to wait, for which it has waited."""
        seconds = self._random.uniform(2, LONGEST)
        self._stop.wait(seconds)
        return seconds

    def _kill(self) -> str:
        seconds = self._random.uniform(0, 3)
        with self._fault():
            self._stage.service.kill()
            self._stop.wait(seconds)
            self._stage.start_service()
        return f"certherd killed, and started again after {seconds:.1f} s"

    def _freeze(self, name: str) -> str:
        program = self._stage.programs[name]
        with self._fault():
            program.send(signal.SIGSTOP)
            try:
                seconds = self._while()
            finally:
                program.send(signal.SIGCONT)
        return f"{name} stood still for {seconds:.0f} s"

    def _freeze_certherd(self) -> str:
        return self._freeze("certherd")

    def _freeze_pebble(self) -> str:
        return self._freeze("pebble")

    def _freeze_nginx(self) -> str:
        return self._freeze("nginx")

    def _freeze_aws(self) -> str:
        return self._freeze("aws")

    def _replace_pebble(self) -> str:
        """Pebble keeps nothing, so a person has to register the account again: its remedy."""
        rejected = self._random.choice([5, 20, 40])
        settings = {
            "PEBBLE_WFE_NONCEREJECT": str(rejected),
            "PEBBLE_AUTHZREUSE": str(self._random.choice([0, 50, 100])),
            "PEBBLE_WFE_ORDERS_PER_PAGE": str(self._random.choice([3, 10])),
        }
        slow = self._random.random() < 0.5
        if slow:
            settings |= {"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"}
        with self._fault():
            self._stage.programs["pebble"].kill()
            seconds = self._random.uniform(0, 5)
            self._stop.wait(seconds)
            self._stage.start_pebble(settings)
            self._stage.run("account", "register")
            # A root of the new one has come to those that are trusted.
            self._stage.service.send(signal.SIGHUP)
        return (
            f"pebble gone for {seconds:.0f} s, and came back without memory, refusing "
            f"{rejected} % of nonces{', slow to look' if slow else ''}"
        )

    def _silence(self, who: str) -> str:
        with self._fault():
            self._stage.relay.silent.add(who)
            try:
                seconds = self._while()
            finally:
                self._stage.relay.silent.discard(who)
        return f"the name servers of {who} could not be reached for {seconds:.0f} s"

    def _silence_responder(self) -> str:
        return self._silence("responder")

    def _silence_aws(self) -> str:
        return self._silence("aws")

    def _reload(self) -> str:
        self._stage.service.send(signal.SIGHUP)
        return "the config was read again"

    def _break_config(self) -> str:
        good = self._stage.config.read_text()
        try:
            self._stage.config.write_text(good + "\n[nonsense]\n")
            self._stage.service.send(signal.SIGHUP)
            self._stop.wait(3)
        finally:
            self._stage.config.write_text(good)
        return "a config with a fault was offered"

    def _add(self) -> str:
        if not self._spare:
            return self._remove()
        name = self._spare.pop(self._random.randrange(len(self._spare)))
        words = []
        for key, value in self._stage.settings_of(name).items():
            words += ["--zone-id", value] if key == "zone_id" else ["--set", f"{key}={value}"]
        self._stage.run("domain", "add", name, *words)
        self.changed_at[name] = time.time()
        self.names.append(name)
        return f"{name} added"

    def _remove(self) -> str:
        if len(self._spare) == len(self._stage.spare):
            return self._add()
        name = self.names.pop(self._random.randrange(len(self.names)))
        self._stage.run("domain", "remove", "--yes", name)
        self._spare.append(name)
        return f"{name} removed"

    def _change(self) -> str:
        name = self._random.choice(self.names)
        further = self._random.choice(["", f"www.{name}", f"www.{name} *.{name}"])
        owner = f"owner=team-{self._random.randrange(9)}"
        self._stage.run("domain", "set", name, f"names={further}", owner)
        return f"{name} got the further names [{further}]"

    def _issue(self) -> str:
        name = self._random.choice(self.names)
        began = time.time()
        done = self._stage.command("issue", name)
        if done.returncode and not self.near(began, AFTERMATH):
            raise Unexpected(f"certherd issue {name} exits with {done.returncode}: {done.stderr}")
        return f"certherd issue {name}: exit {done.returncode}"
