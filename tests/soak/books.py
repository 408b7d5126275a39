"""What stands in the service's own books: its store and its log."""

import datetime
import json
import pathlib
import re
import sqlite3
from collections import Counter
from dataclasses import dataclass

FAILED = ("issuance.put_off", "issuance.failed")


def seconds_of(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment).timestamp()


@dataclass(frozen=True)
class Wait:
    """That a domain has been put off."""

    failed_at: float
    until: float


@dataclass(frozen=True)
class Entry:
    """A challenge value that the ledger holds."""

    dns: str
    name: str
    value: str
    recorded_at: float


class Store:
    """Read beside the service. Times in the store are microseconds."""

    def __init__(self, path: pathlib.Path) -> None:
        self._url = f"file:{path}?mode=ro"

    def _rows(self, query: str, *values: object) -> list[tuple]:
        connection = sqlite3.connect(self._url, uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def wait_of(self, name: str) -> Wait | None:
        """The last one; it may be over."""
        rows = self._rows(
            "SELECT at, detail FROM event WHERE domain = ? AND event IN (?, ?)"
            " ORDER BY number DESC LIMIT 1",
            name,
            *FAILED,
        )
        if not rows:
            return None
        at, detail = rows[0]
        return Wait(at / 1e6, seconds_of(json.loads(detail)["retry_at"]))

    def counts(self) -> Counter[str]:
        """How often each event has come."""
        return Counter(dict(self._rows("SELECT event, count(*) FROM event GROUP BY event")))

    def failures(self) -> list[tuple[float, str, str]]:
        """When work was put off or given up, for whom, and why."""
        rows = self._rows(
            "SELECT at, domain, detail FROM event WHERE event IN (?, ?) ORDER BY number", *FAILED
        )
        return [(at / 1e6, domain, json.loads(detail)["error"]) for at, domain, detail in rows]

    def ledger(self) -> list[Entry]:
        rows = self._rows("SELECT dns, name, value, recorded_at FROM txt_record ORDER BY name")
        return [Entry(*words, recorded_at / 1e6) for *words, recorded_at in rows]

    def at_work(self) -> list[str]:
        """Domains for which a certificate is under way."""
        rows = self._rows(
            "SELECT name FROM domain WHERE id IN (SELECT domain_id FROM issuance WHERE active = 1)"
        )
        return [name for (name,) in rows]

    def without_certificate(self) -> list[str]:
        """Enabled domains that have none which is valid."""
        rows = self._rows(
            "SELECT name FROM domain WHERE enabled = 1 AND removed_at IS NULL AND id NOT IN"
            " (SELECT domain_id FROM certificate WHERE is_current = 1)"
        )
        return [name for (name,) in rows]


@dataclass(frozen=True)
class Line:
    at: float
    level: str
    message: str

    def kind(self) -> str:
        """What it says, whichever domain, number or address it is about."""
        return re.sub(r"[\w.-]*\d[\w.:-]*", "…", self.message)[:160]


def read_log(path: pathlib.Path) -> tuple[list[Line], list[str]]:
    """The lines of the log, and what is none: the last words of a process, or of a sanitizer."""
    lines, others = [], []
    for text in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            line = json.loads(text)
            lines.append(Line(seconds_of(line["at"]), line["level"], line["message"]))
        except (ValueError, KeyError, TypeError):
            others.append(text)
    return lines, others
