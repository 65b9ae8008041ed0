"""A real Slurm for tests: munged, slurmctld and slurmd of this machine's packages, in a folder and on ports of its own.

Nothing of the system's own Slurm is used or changed, and it needs no rights: all daemons run as the user who tests.
"""

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

TOOLS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
PATH = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"  # where daemons are
# No cgroups and no accounting, so that it works in containers; config_overrides allows more CPUs than there are.
CONFIG = """
ClusterName=flashlab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port[0]}
SlurmdPort={port[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
ReturnToService=2
MaxArraySize={array_size}
KillWait=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 Gres=gpu:2
PartitionName=all Nodes=ALL Default=YES State=UP
PartitionName=closed Nodes=ALL State=DOWN
"""


def missing() -> list[str]:
    """What is not installed."""
    return [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]


def wait_until(true, seconds: float = 60, what: str = "") -> None:
    """Waits until `true()`; a failure of the test when it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what or "waited in vain"
        time.sleep(0.1)


class Cluster:
    """One node with eight CPUs and two GPUs, which are made up."""

    def __init__(self, array_size: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: a socket's path ends at 107
        self.config = self.folder / "slurm.conf"
        self._daemons: dict[str, subprocess.Popen] = {}
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        words = {
            "folder": self.folder,
            "user": pwd.getpwuid(os.geteuid()).pw_name,
            "host": socket.gethostname().partition(".")[0],
            "port": _free_ports(2),
            "array_size": array_size,
        }
        self.config.write_text(CONFIG.format(**words))
        (self.folder / "gres.conf").write_text("Name=gpu Count=2 File=/dev/tty[0-1]\n")
        version = self.command("slurmd", "-V")
        if int(re.search(r"\d+", version)[0]) >= 23:  # earlier ones do not know it and need none
            (self.folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        self.start("munged")
        wait_until((self.folder / "munge.socket").exists, what="munged")
        self.start("slurmctld")
        self.start("slurmd")
        self.wait_for_the_node()

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": PATH, "SLURM_CONF": str(self.config)}

    def command(self, *words: object) -> str:
        """The output of one of Slurm's commands, or an empty text when it fails."""
        done = subprocess.run(
            [str(word) for word in words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def start(self, name: str) -> None:
        """Starts a daemon, with the state that it left."""
        words = {
            "munged": [
                "--foreground",
                "--force",
                f"--key-file={self.folder}/munge.key",
                f"--socket={self.folder}/munge.socket",
                f"--pid-file={self.folder}/munged.pid",
                f"--log-file={self.folder}/munged.log",
                f"--seed-file={self.folder}/munge.seed",
            ],
            "slurmctld": ["-D"],
            "slurmd": ["-D"],
        }
        with (self.folder / f"{name}.out").open("a") as out:
            self._daemons[name] = subprocess.Popen(
                [name, *words[name]], env=self.environment, stdout=out, stderr=out
            )

    def kill(self, name: str) -> None:
        """Ends a daemon without giving it time to write anything."""
        self._daemons[name].kill()
        self._daemons[name].wait()

    def save(self) -> None:
        """Waits until slurmctld has written down what it knows of all tasks: it does so seconds after a change."""
        start = time.time()
        for task in self.tasks():
            self.command("scontrol", "update", f"jobid={task}", "comment=changed")
        state = self.folder / "state/job_state"
        wait_until(lambda: state.exists() and state.stat().st_mtime > start)

    def requeue(self, task: str) -> None:
        """Has a task begin again at once; by itself, Slurm would wait for two minutes."""
        self.command("scontrol", "requeue", task)
        wait_until(lambda: self.tasks().get(task) == "PENDING")

        def runs() -> bool:
            time.sleep(2)  # slurmd starts no task in the second in which it was killed
            self.command("scontrol", "update", f"jobid={task}", "StartTime=now")
            return self.tasks().get(task) == "RUNNING"

        wait_until(runs)

    def wait_for_the_node(self) -> None:
        wait_until(
            lambda: "idle" in self.command("sinfo", "-h", "-p", "all", "-o", "%T"),
            what=f"the node does not become idle; its logs are in {self.folder}",
        )

    def tasks(self) -> dict[str, str]:
        """The state of each task that has not ended, by ARRAY_INDEX."""
        lines = self.command("squeue", "-h", "-r", "-o", "%F_%K %T").splitlines()
        return dict(line.split() for line in lines)

    def stop(self) -> None:
        """Ends all tasks and daemons and removes the folder."""
        self.command("scancel", "--state=PENDING", "--me")
        self.command("scancel", "--me")
        wait_until(lambda: not self.tasks(), 30)
        for name in reversed(self._daemons):
            self._daemons[name].terminate()
            self._daemons[name].wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports
