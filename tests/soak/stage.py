"""What the service works with: Pebble, nginx, the AWS of tests/aws, and certherd itself."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request

import dns_relay

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OWN_ZONE = "fleet.test"
AWS_ZONES = ("zone-1.test", "zone-2.test")
AWS_SECTION = "aws"
FOREIGN = '"of somebody else"'
START_WITHIN = 60
STOP_WITHIN = 30
COMMAND_WITHIN = 300


class Unexpected(Exception):
    """What ends the run, with words for a person."""


def free_port() -> int:
    """One that the system gives to no outgoing connection meanwhile."""
    while True:
        port = random.randint(20_000, 32_767)
        with socket.socket() as one:
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                return port


def wait_for(what: str, condition, within: float = START_WITHIN):
    """What the condition gives, once it is something."""
    end = time.monotonic() + within
    while not (result := condition()):
        if time.monotonic() > end:
            raise Unexpected(f"{what}: not within {within:.0f} s")
        time.sleep(0.05)
    return result


class Program:
    """A process with a group of its own, whose output is added to a file."""

    def __init__(self, command: list[str], log: pathlib.Path, env: dict[str, str] | None = None):
        self.command = command
        self.log = log
        with open(log, "ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=os.environ | (env or {}),
                start_new_session=True,
            )
        self.pid = self._process.pid

    def ended(self) -> int | None:
        return self._process.poll()

    def send(self, number: int) -> None:
        """To all of its processes."""
        if self.ended() is None:
            os.killpg(self.pid, number)

    def wait(self, within: float = STOP_WITHIN) -> int:
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise Unexpected(f"{self.command[0]} does not end within {within:.0f} s") from None

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self._process.wait()


class Stage:
    """Sets all of it up in a new folder. `strike` ends what runs."""

    def __init__(
        self, folder: pathlib.Path, certherd: pathlib.Path, domains: int, spare: int, validity: int
    ) -> None:
        self.folder = folder
        self.names = [self._name(number) for number in range(1, domains + 1)]
        self.spare = [self._name(number) for number in range(domains + 1, domains + spare + 1)]
        self.programs: dict[str, Program] = {}
        self.life = 0
        # Of our own: who builds meanwhile changes nothing.
        self._certherd = pathlib.Path(shutil.copy(certherd, folder / "certherd"))
        self._validity = validity
        self._settings: dict[str, str] = {}
        self._ports = {name: free_port() for name in ("ca", "management", "edge", "dns", "relay")}

    @staticmethod
    def _name(number: int) -> str:
        zone = OWN_ZONE if number % 2 else AWS_ZONES[number // 2 % len(AWS_ZONES)]
        return f"site-{number:03}.{zone}"

    @property
    def edge_port(self) -> int:
        return self._ports["edge"]

    @property
    def certherd_log(self) -> pathlib.Path:
        return self.folder / "certherd.log"

    @property
    def service(self) -> Program:
        return self.programs["certherd"]

    # The outside systems.

    def set_up(self) -> None:
        for name in ("pebble", "nginx", "edge"):
            (self.folder / name).mkdir()
        self._make_certificates()
        self._start_aws()
        self.relay = dns_relay.Relay(
            self._ports["relay"],
            OWN_ZONE,
            ("127.0.0.1", self._ports["dns"]),
            ("127.0.0.1", self._aws_dns),
        )
        self.start_pebble({})
        self._start_nginx()
        self._write_config()
        self.run("domain", "import", "-", input=self._inventory(self.names))

    def _make_certificates(self) -> None:
        """One for Pebble's HTTPS, and one with which the edge begins."""
        for path in (self.folder / "pebble", self.folder / "nginx"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
                + ["-nodes", "-days", "30", "-subj", "/CN=soak"]
                + ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
                + ["-keyout", path / "key.pem", "-out", path / "certificate.pem"],
                check=True,
                capture_output=True,
            )
        edge = self.folder / "edge"
        for name in self.names + self.spare:
            version = edge / ".versions" / name / "placeholder"
            version.mkdir(parents=True)
            shutil.copy(self.folder / "nginx" / "key.pem", version / "privkey.pem")
            shutil.copy(self.folder / "nginx" / "certificate.pem", version / "fullchain.pem")
            (edge / name).symlink_to(version.relative_to(edge))

    def _start_aws(self) -> None:
        venv = pathlib.Path.home() / ".local/share/certherd/aws-venv/bin/python"
        if not venv.exists():
            raise Unexpected("there is no moto here: run scripts/setup test")
        self._python = str(venv)
        ready = self.folder / "aws.json"
        script = ROOT / "tests/aws/aws_stage.py"
        aws = Program([self._python, str(script), str(ready)], self.folder / "aws.log")
        self.programs["aws"] = aws
        wait_for("AWS", lambda: aws.ended() is not None or ready.exists())
        if aws.ended() is not None:
            raise Unexpected(f"AWS has ended: see {aws.log}")
        addresses = json.loads(ready.read_text())
        self._aws_url = addresses["aws"]
        self._aws_dns = int(addresses["dns"].rpartition(":")[2])
        ids = self.ask_aws("zones", [{"name": zone} for zone in AWS_ZONES])
        self._zone_ids = dict(zip(AWS_ZONES, ids))
        self.foreign_name = f"_acme-challenge.{self._name(2)}"
        zone = self._zone_ids[self._name(2).split(".", 1)[1]]
        foreign = {"name": self.foreign_name, "type": "TXT", "values": [FOREIGN]}
        self.ask_aws("put", [{"zone_id": zone, **foreign}])

    def ask_aws(self, command: str, wanted: object):
        """What tests/aws/aws_check.py says to it."""
        done = subprocess.run(
            [self._python, str(ROOT / "tests/aws/aws_check.py"), self._aws_url, command],
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN,
        )
        if done.returncode:
            raise Unexpected(f"AWS does not say its {command}: {done.stderr}")
        return json.loads(done.stdout)

    def start_pebble(self, settings: dict[str, str]) -> None:
        """With an empty memory: it keeps nothing from one start to the next."""
        folder = self.folder / "pebble"
        config = {
            "listenAddress": f"127.0.0.1:{self._ports['ca']}",
            "managementListenAddress": f"127.0.0.1:{self._ports['management']}",
            "certificate": str(folder / "certificate.pem"),
            "privateKey": str(folder / "key.pem"),
            "httpPort": 5002,
            "tlsPort": 5001,
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "", "validityPeriod": self._validity}},
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        program = os.environ.get("CERTHERD_PEBBLE") or shutil.which("pebble")
        if not program:
            raise Unexpected("there is no pebble here: run scripts/setup test")
        pebble = Program(
            [program, "-config", str(folder / "pebble.json")]
            + ["-dnsserver", f"127.0.0.1:{self.relay.port}"],
            folder / "pebble.log",
            {"PEBBLE_VA_NOSLEEP": "1"} | settings,
        )
        self.programs["pebble"] = pebble
        trust = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
        url = f"https://127.0.0.1:{self._ports['management']}/roots/0"

        def root() -> bytes | None:
            if pebble.ended() is not None:
                raise Unexpected(f"pebble has ended: see {pebble.log}")
            try:
                return urllib.request.urlopen(url, timeout=5, context=trust).read()
            except OSError:
                return None

        # Each start has a root of its own, and what the former ones issued is still served.
        with open(self.folder / "issuing-roots.pem", "ab") as roots:
            roots.write(wait_for("pebble", root))

    def _start_nginx(self) -> None:
        folder = self.folder / "nginx"
        temporary = "".join(
            f"  {kind}_temp_path {folder}/temp;\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = (
            "daemon off;\nworker_processes 1;\nworker_shutdown_timeout 1s;\n"
            f"pid {folder}/nginx.pid;\nerror_log {folder}/nginx.log warn;\n"
            "events { worker_connections 2048; }\n"
            f"http {{\n  access_log off;\n  server_names_hash_max_size 65536;\n{temporary}"
        )
        for name in self.names + self.spare:
            text += (
                f"  server {{\n    listen 127.0.0.1:{self.edge_port} ssl;\n"
                f"    server_name {name};\n"
                f"    ssl_certificate {self.folder}/edge/{name}/fullchain.pem;\n"
                f"    ssl_certificate_key {self.folder}/edge/{name}/privkey.pem;\n"
                f'    return 200 "{name}\\n";\n  }}\n'
            )
        (folder / "nginx.conf").write_text(text + "}\n")
        program = shutil.which("nginx")
        if not program:
            raise Unexpected("there is no nginx here: run scripts/setup")
        self._nginx = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        self._nginx += ["-e", str(folder / "nginx.log")]
        nginx = Program(self._nginx, folder / "nginx.out")
        self.programs["nginx"] = nginx
        pid = folder / "nginx.pid"
        wait_for("nginx", lambda: nginx.ended() is not None or (pid.exists() and pid.read_text()))
        if nginx.ended() is not None:
            raise Unexpected(f"nginx has ended: see {folder / 'nginx.log'}")

    # certherd.

    def _write_config(self) -> None:
        self.run("init", "--dir", str(self.folder), config=False)
        self.config = self.folder / "certherd.toml"
        reload = ", ".join(json.dumps(word) for word in [*self._nginx, "-s", "reload"])
        self.config.write_text(f"""\
[store]
url = "sqlite:state.db"
seal_key = {{ file = "certherd.key" }}

[ca.pebble]
directory = "https://127.0.0.1:{self._ports["ca"]}/dir"
contact = ["ops@fleet.test"]
terms_of_service_agreed = true
trust = "pebble/certificate.pem"
timeout = "10s"
finalize_within = "30s"
requests_at_once = 1   # Pebble hangs now and then on more

[dns.responder]
type = "responder"
listen = ["127.0.0.1:{self._ports["dns"]}"]
zones = ["{OWN_ZONE}"]
responses_per_second = 0   # all clients are on this machine

[dns.{AWS_SECTION}]
type = "route53"
timeout = "10s"
requests_per_second = 20

[vault.files]
type = "directory"
path = "vault"

[vault.aws]
type = "aws-secrets-manager"
timeout = "10s"

[target.nginx]
type = "files"
path = "edge"
reload = [{reload}]

[defaults]
ca = "pebble"
dns = "responder"
vault = "files"
targets = ["nginx"]
prove_within = "30s"

[resolver]
servers = ["127.0.0.1:{self.relay.port}"]
authoritative_port = {self.relay.port}
check_within = "30s"

[probe]
trust = "issuing-roots.pem"
every = "1m"
""")

    def settings_of(self, name: str) -> dict[str, str]:
        """The columns of the inventory in which a domain says where its things are."""
        columns = {"endpoints": f"{name}:{self.edge_port}@127.0.0.1"}
        zone = name.split(".", 1)[1]
        if zone in AWS_ZONES:
            columns |= {"zone_id": self._zone_ids[zone], "dns": AWS_SECTION, "vault": "aws"}
        return columns

    def _inventory(self, names: list[str]) -> str:
        columns = ("endpoints", "zone_id", "dns", "vault")
        rows = [",".join(("domain", *columns))]
        for name in names:
            settings = self.settings_of(name)
            rows.append(",".join([name, *(settings.get(column, "") for column in columns)]))
        return "\n".join(rows) + "\n"

    def _environment(self) -> dict[str, str]:
        # A quarantine of freed memory, as a sanitizer has it, would look like growth.
        asan = os.environ.get("ASAN_OPTIONS", "detect_leaks=1")
        return {
            "ASAN_OPTIONS": f"{asan}:quarantine_size_mb=1:malloc_context_size=5",
            "AWS_ENDPOINT_URL": self._aws_url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self.folder / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "aws-credentials"),
        }

    def command(
        self, *arguments: str, config: bool = True, input: str = ""
    ) -> subprocess.CompletedProcess:
        """A command of certherd beside the service, to its end."""
        head = ["--config", str(self.config)] if config else []
        words = f"certherd {' '.join(arguments)}"
        try:
            done = subprocess.run(
                [str(self._certherd), *head, *arguments],
                input=input,
                capture_output=True,
                text=True,
                env=os.environ | self._environment(),
                timeout=COMMAND_WITHIN,
            )
        except subprocess.TimeoutExpired:
            raise Unexpected(f"{words} does not end within {COMMAND_WITHIN} s") from None
        if done.returncode < 0 or "Sanitizer" in done.stderr:
            raise Unexpected(f"{words} ends with {done.returncode}: {done.stderr}")
        return done

    def run(self, *arguments: str, config: bool = True, input: str = "") -> str:
        """The same, which has to succeed; what it prints."""
        done = self.command(*arguments, config=config, input=input)
        if done.returncode:
            words = (done.stderr + done.stdout).strip()
            command = " ".join(arguments)
            raise Unexpected(f"certherd {command} exits with {done.returncode}: {words}")
        return done.stdout

    def start_service(self) -> None:
        self.life += 1
        self.programs["certherd"] = Program(
            [str(self._certherd), "--config", str(self.config), "--log", "json", "run"],
            self.certherd_log,
            self._environment(),
        )

    def check_programs(self) -> None:
        for name, program in self.programs.items():
            if program.ended() is not None:
                words = f"{name} has ended by itself with {program.ended()}"
                raise Unexpected(f"{words}: see {program.log}")

    def strike(self) -> None:
        for program in self.programs.values():
            program.send(signal.SIGCONT)
            program.kill()
