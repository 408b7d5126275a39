"""The AWS of the end-to-end tests: moto, and a DNS server for its hosted zones, in one process.

usage: aws_stage.py READY_FILE

Writes {"aws": URL, "dns": "address:port"} into READY_FILE when both answer, and runs until it is
ended.
"""

import json
import os
import pathlib
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server import threaded_moto_server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler
from moto.route53.models import route53_backends

import acm_rules
import route53_rules
import secrets_rules
import zone_server


class OneAtATime(DomainDispatcherApplication):
    """moto iterates over what other threads are changing."""

    _turn = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        with self._turn:
            return super().__call__(environ, start_response)


class QuickHandler(MotoRequestHandler):
    """Sends without waiting for more to send, and logs failures only."""

    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code) >= "500":
            super().log_request(code, size)


def main() -> None:
    ready = pathlib.Path(sys.argv[1])
    acm_rules.install()
    route53_rules.install()
    secrets_rules.install()
    threaded_moto_server.DomainDispatcherApplication = OneAtATime
    threaded_moto_server.MotoRequestHandler = QuickHandler
    server = threaded_moto_server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    dns = zone_server.start(route53_backends[DEFAULT_ACCOUNT_ID]["aws"])

    written = ready.with_suffix(".new")
    written.write_text(
        json.dumps({"aws": f"http://127.0.0.1:{port}", "dns": f"{zone_server.HOSTS}:{dns}"})
    )
    os.replace(written, ready)
    signal.pause()


if __name__ == "__main__":
    main()
