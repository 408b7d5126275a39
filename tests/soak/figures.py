"""What a process takes of the machine, looked at again and again, and what becomes of it."""

import os
import pathlib
from dataclasses import dataclass

WARM_UP = 0.25  # share of a life in which caches fill
LEAST_SPAN = 600  # seconds below which a growth per hour says nothing
HOUR = 3600


@dataclass(frozen=True)
class Sample:
    at: float
    life: int
    """Counts the processes: each begins anew."""
    memory: float
    """Resident, in MiB."""
    threads: int
    descriptors: int


def look(at: float, life: int, pid: int) -> Sample | None:
    """Nothing when the process has gone."""
    folder = pathlib.Path("/proc", str(pid))
    try:
        lines = (folder / "status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines if ":" in line)
        return Sample(
            at,
            life,
            int(status["VmRSS"].split()[0]) / 1024,
            int(status["Threads"]),
            len(os.listdir(folder / "fd")),
        )
    except (OSError, KeyError):
        return None


def last_life(samples: list[Sample]) -> list[Sample]:
    """That of the last process, without the time in which it warmed up."""
    own = [each for each in samples if each.life == samples[-1].life] if samples else []
    if not own:
        return []
    warm = own[0].at + (own[-1].at - own[0].at) * WARM_UP
    return [each for each in own if each.at >= warm]


def growth(points: list[tuple[float, float]]) -> float:
    """Per hour, by least squares."""
    count = len(points)
    if count < 2:
        return 0.0
    x_mean = sum(x for x, _ in points) / count
    y_mean = sum(y for _, y in points) / count
    square = sum((x - x_mean) ** 2 for x, _ in points)
    product = sum((x - x_mean) * (y - y_mean) for x, y in points)
    return product / square * HOUR if square else 0.0


def span(samples: list[Sample]) -> float:
    return samples[-1].at - samples[0].at if samples else 0.0
