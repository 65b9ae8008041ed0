"""The `vgpu` command on real programs: what it runs, what it refuses, what it writes. Run by CTest."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

VGPU = os.environ["VGPU"]
PROGRAMS = Path(os.environ["PROGRAMS"])
OPEN_PLUGIN = os.environ["OPEN_PLUGIN"]


def vgpu(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
    command = [VGPU, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


class Run(unittest.TestCase):
    def test_runs_a_program_to_its_end_and_returns_its_exit_code(self):
        done = vgpu("run", PROGRAMS / "good_program")
        self.assertEqual((done.returncode, done.stdout), (0, "count: 1\nat exit: 0\n"), done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertEqual(vgpu("run", PROGRAMS / "good_program", "a", "--b").returncode, 2)

    def test_a_plugin_can_be_opened_closed_and_opened_again(self):
        done = vgpu("run", OPEN_PLUGIN, PROGRAMS / "plugin.so")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:3], ["round 0: 3", "round 1: 3", "round 2: 3"], done.stderr)
        report = json.loads(lines[3].removeprefix("report "))
        self.assertEqual(len(report["launches"]), 3)  # those after vgpuReset
        self.assertIsNone(report["fault"])
        self.assertEqual((report["device_bytes"], report["peak_device_bytes"] > 0), (0, True))
        # The counter `calls`, and three answers of 4 bytes that went to the host.
        self.assertEqual((report["module_bytes"], report["host_copy_bytes"]), (4, 12))
        self.assertEqual(report["peak_host_mapped_bytes"], 0)

    def test_json_counters_are_one_object_per_launch(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "counters.json"
            done = vgpu("run", "--counters", "json", "--output", file, PROGRAMS / "good_program")
            self.assertEqual(done.returncode, 0, done.stderr)
            launches = json.loads(file.read_text())
        self.assertEqual(len(launches), 1)
        self.assertEqual(launches[0]["grid"], [1, 1, 1])
        self.assertIn("count(int", launches[0]["kernel"])
        self.assertEqual(launches[0]["global_store_requests"], 2)  # out[0] and the counter
        self.assertEqual(launches[0]["lane_instructions"], launches[0]["warp_instructions"])

    def test_table_goes_to_stderr(self):
        done = vgpu("run", "--counters", "table", PROGRAMS / "good_program")
        self.assertIn("peak device memory: 4 bytes", done.stderr)
        self.assertEqual(done.stdout, "count: 1\nat exit: 0\n")

    def test_linked_objects_have_names_and_no_registers(self):
        done = vgpu("run", "--counters", "table", PROGRAMS / "linked" / "in_one_step")
        self.assertRegex(done.stderr, r"(?m)^own_kernel +2 ")  # two, without their objects' numbers
        self.assertIn("cannot tell the registers of objects that are linked together", done.stderr)

    def test_timeout_stops_an_endless_kernel(self):
        done = vgpu("run", "--timeout", "0.5", PROGRAMS / "endless")
        self.assertEqual(
            done.stdout.splitlines(),
            [
                "another thread was served meanwhile: 1",
                "after the launch: 0",
                "a call that does not wait: 0",
                "a copy that is only queued: 0",
                "a call that waits: 702",  # cudaErrorLaunchTimeout
                "every call after it: 702",
            ],
        )
        self.assertIn("endless.cu:11", done.stderr)

    def test_reports_a_wait_that_cannot_end(self):
        done = vgpu("run", PROGRAMS / "endless")
        self.assertIn("a call that waits: 719", done.stdout)  # cudaErrorLaunchFailure
        self.assertIn("deadlock: every thread waits", done.stderr)
        self.assertRegex(done.stderr, r"warp 0: asks again and again at \S*endless.cu:11")

    def test_quiet_silences_messages(self):
        self.assertEqual(vgpu("run", PROGRAMS / "without_ptx", VGPU_QUIET="1").stderr, "")

    def test_says_what_is_wrong_with_a_setting(self):
        wrong = {"VGPU_THREADS": "many", "VGPU_COUNTERS": "xml", "VGPU_ISA": "mmx"}
        done = vgpu("run", PROGRAMS / "good_program", **wrong)
        self.assertIn("VGPU_THREADS=many", done.stderr)
        self.assertIn("VGPU_COUNTERS=xml", done.stderr)
        self.assertIn("VGPU_ISA=mmx is not baseline or wide; it is ignored", done.stderr)
        self.assertEqual(done.returncode, 0)


class Refuse(unittest.TestCase):
    def refuse(self, *arguments: str | Path, says: str):
        done = vgpu(*arguments)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def test_programs_that_cannot_run(self):
        self.refuse("run", PROGRAMS / "static_runtime", says="-cudart shared")
        self.refuse("run", "no_such_program_here", says="not found")
        self.refuse("run", __file__, says="not an ELF")
        self.refuse("run", PROGRAMS, says="folder")

    def test_wrong_usage(self):
        self.refuse(says="vgpu --help")
        self.refuse("walk", says="walk")
        self.refuse("run", says="no program")
        self.refuse("run", "--fast", "x", says="--fast")
        self.refuse("run", "--threads", says="needs a value")
        self.refuse("run", "--threads", "0", "x", says="--threads")
        self.refuse("run", "--timeout", "-1", "x", says="--timeout")
        self.refuse("run", "--counters", "xml", "x", says="table or json")
        self.refuse("run", "--output", "f", "x", says="--counters")
        self.refuse("run", "--check", "speling", "x", says="no check `speling`; known: all, none, ")

    def test_native_code_only_names_the_missing_flag(self):
        done = vgpu("run", PROGRAMS / "without_ptx")
        self.assertIn("count: -209", done.stdout)  # cudaErrorNoKernelImageForDevice
        self.assertIn("compute_", done.stderr)

    def test_linked_objects_of_native_code_only_name_the_missing_flag(self):
        done = vgpu("run", PROGRAMS / "linked" / "machine_code_only")
        self.assertEqual((done.returncode, done.stdout), (1, "symbol of the other object: 209\n"))
        self.assertIn("no PTX, only machine code: build with nvcc -gencode arch=", done.stderr)

    def test_help_documents_the_environment(self):
        done = vgpu("--help")
        self.assertEqual(done.returncode, 0)
        for name in (
            "VGPU_THREADS",
            "VGPU_TIMEOUT",
            "VGPU_DEVICE_MEMORY",
            "VGPU_COUNTERS",
            "VGPU_PTXAS",
            "VGPU_QUIET",
            "--counters",
        ):
            self.assertIn(name, done.stdout)

    def test_help_lists_every_check(self):
        known = vgpu("run", "--check", "speling", "x").stderr.rpartition("known: ")[2]
        names = known.strip().removeprefix("all, none, ").split(", ")
        self.assertGreater(len(names), 4)
        listed = vgpu("--help").stdout.partition("checks:\n")[2].splitlines()
        self.assertEqual([line.split()[0] for line in listed], names)


if __name__ == "__main__":
    unittest.main()
