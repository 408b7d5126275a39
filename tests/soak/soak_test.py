"""That the soak sees what it judges by."""

import json
import pathlib
import sqlite3
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import books
import dns_relay
import figures
import served
from faults import AFTERMATH, Faults


class Figures(unittest.TestCase):
    def sample(self, at: float, life: int, memory: float = 1) -> figures.Sample:
        return figures.Sample(at, life, memory, threads=1, descriptors=1)

    def test_growth_is_per_hour_and_blind_to_what_goes_up_and_down(self) -> None:
        self.assertAlmostEqual(figures.growth([(at, at * 2 / 3600) for at in range(100)]), 2)
        self.assertAlmostEqual(figures.growth([(0, 5), (1, 9), (2, 9), (3, 5)]), 0)

    def test_the_last_process_is_judged_once_it_is_warm(self) -> None:
        samples = [self.sample(at, life) for life in (1, 2) for at in range(life * 100, life * 200)]
        judged = figures.last_life(samples)
        self.assertEqual({each.life for each in judged}, {2})
        self.assertEqual((judged[0].at, judged[-1].at), (250, 399))

    def test_a_process_that_has_gone_has_none(self) -> None:
        child = subprocess.Popen(["true"])
        child.wait()
        self.assertIsNone(figures.look(0, 1, child.pid))


class Leaf(unittest.TestCase):
    def read(self, issuer: str) -> tuple[served.Leaf, str]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "certificate.pem")
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
                + ["-nodes", "-days", "3", "-set_serial", "77", "-subj", f"/CN={issuer}"]
                + ["-keyout", "/dev/null", "-out", str(path)],
                check=True,
                capture_output=True,
            )
            end = subprocess.run(
                ["openssl", "x509", "-noout", "-enddate", "-in", str(path)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            return served.read_leaf(ssl.PEM_cert_to_DER_cert(path.read_text())), end

    def test_its_end_and_its_issuer_are_read(self) -> None:
        leaf, end = self.read("Pebble Intermediate")
        self.assertEqual(leaf.not_after, ssl.cert_time_to_seconds(end.strip().partition("=")[2]))
        self.assertEqual((leaf.serial, leaf.is_ours), (77, True))
        self.assertFalse(self.read("placeholder")[0].is_ours)


class Reasons(unittest.TestCase):
    def test_a_fault_is_near_while_it_lasts_and_for_a_while_after(self) -> None:
        class Nothing:
            names = spare = ()

        faults = Faults(Nothing(), 1, threading.Event(), lambda _: None)
        before = time.time() - 1
        with faults._fault():
            self.assertTrue(faults.near(time.time() + 1000, 0))
        self.assertFalse(faults.near(before, AFTERMATH))
        self.assertTrue(faults.near(time.time() + AFTERMATH - 1, AFTERMATH))
        self.assertFalse(faults.near(time.time() + AFTERMATH + 1, AFTERMATH))

    def test_who_is_silent_hears_nothing(self) -> None:
        relay = dns_relay.Relay.__new__(dns_relay.Relay)
        relay.silent, relay._zone = set(), "fleet.test"
        relay._responder, relay._aws = ("127.0.0.1", 1), ("127.0.0.1", 2)
        hosts, registry = ("127.0.0.1", 9), ("127.0.0.2", 9)

        def question(name: str) -> bytes:
            labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
            return bytes(12) + labels + bytes(5)

        own, other = question("_acme-challenge.A.Fleet.test"), question("a.zone-1.test")
        self.assertEqual(relay.upstream(own, hosts), ("127.0.0.1", 1))
        self.assertEqual(relay.upstream(other, hosts), ("127.0.0.1", 2))
        self.assertEqual(relay.upstream(own, registry), ("127.0.0.2", 2))
        relay.silent.add("responder")
        self.assertIsNone(relay.upstream(own, hosts))
        self.assertEqual(relay.upstream(other, hosts), ("127.0.0.1", 2))


class Books(unittest.TestCase):
    def test_what_is_no_line_of_the_log_is_told_apart(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
            line = {"at": "1970-01-01T00:01:00Z", "level": "error", "message": "a-1.test: no 7"}
            file.write(json.dumps(line) + "\n==1==ERROR: AddressSanitizer\n")
            file.flush()
            lines, others = books.read_log(pathlib.Path(file.name))
        self.assertEqual(lines, [books.Line(60, "error", "a-1.test: no 7")])
        self.assertEqual(lines[0].kind(), "… no …")
        self.assertEqual(others, ["==1==ERROR: AddressSanitizer"])

    def test_a_domain_waits_after_its_last_failure(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "state.db")
            with sqlite3.connect(path) as connection:
                connection.executescript(
                    "CREATE TABLE event (number, at, domain, event, detail);"
                    "INSERT INTO event VALUES (1, 20000000, 'a.test', 'issuance.put_off',"
                    " '{\"retry_at\": \"1970-01-01T00:00:25Z\"}'),"
                    " (2, 30000000, 'a.test', 'issuance.failed',"
                    " '{\"retry_at\": \"1970-01-01T00:01:30Z\"}'),"
                    " (3, 40000000, 'a.test', 'order.placed', '{}'),"
                    " (4, 50000000, 'b.test', 'order.placed', '{}');"
                )
            connection.close()
            store = books.Store(path)
            self.assertEqual(store.wait_of("a.test"), books.Wait(30, 90))
            self.assertIsNone(store.wait_of("b.test"))


if __name__ == "__main__":
    unittest.main()
