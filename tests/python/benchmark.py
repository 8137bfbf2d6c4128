"""The parts of the benchmark that can be wrong without anybody noticing: what it reads, and what it makes of it.

    PYTHONPATH=benches/compare python tests/python/benchmark.py TARGET

The server is a Calculator.
"""

import contextlib
import sys
import types
import unittest
import unittest.mock

import clients
import comparison
import connection
import figures
import instructions
import load
import probe
import process
import rapid_reset
from figures import Spread

TARGET = sys.argv.pop()

# As h2load 1.52 prints it.
SUMMARY = """\
starting benchmark...
spawning thread #0: 10 total client(s). 20000 total requests
Application protocol: h2c
progress: 100% done

finished in 604.11ms, 33106.55 req/s, 1.69MB/s
requests: 20000 total, 20000 started, 20000 done, 20000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.02MB (1071691) total, 59.33KB (60750) headers (space savings 96.25%), 136.72KB (140000) data
                     min         max         mean         sd        +/- sd
time for request:      273us    604.11ms     22.42ms     82.10ms    97.50%
"""

# The name of a process may be anything.
STAT = "77 (a) b ( c) S 1 77 77 0 -1 4194304 900 0 0 0 11 22 33 44 20 0 3 0 5 6 7"

ROLLUP = (
    "00400000-7fff00000000 ---p 00000000 00:00 0 [rollup]\nRss:                1234 kB\nPss:                1000 kB\n"
)


class Readings(unittest.TestCase):
    def test_a_summary_of_h2load_is_read(self):
        summary = load.parse_summary(SUMMARY)
        self.assertEqual(summary, load.Summary(0.60411, 33106.55, 20000, 20000, 140000))
        load.check(summary, 20000)

    def test_seconds_are_told_from_their_parts(self):
        for text, seconds in (("1.04s", 1.04), ("250us", 0.00025), ("1.50m", 90)):
            self.assertAlmostEqual(load.parse_summary(SUMMARY.replace("604.11ms", text, 1)).seconds, seconds)

    def test_calls_that_fail_are_noticed(self):
        for found, instead in (
            ("20000 succeeded, 0 failed", "19999 succeeded, 1 failed"),
            ("20000 2xx, 0 3xx, 0 4xx", "19999 2xx, 0 3xx, 1 4xx"),
            # Statuses of gRPC: HTTP's is 200 then as well, but there is no message.
            ("(140000) data", "(139993) data"),
        ):
            with self.assertRaisesRegex(process.Failed, "not every call of 20000"):
                load.check(load.parse_summary(SUMMARY.replace(found, instead)), 20000)

    def test_what_is_no_summary_is_refused(self):
        for line in SUMMARY.splitlines()[5:9]:
            with self.assertRaises(process.Failed):
                load.parse_summary(SUMMARY.replace(line, ""))

    def test_latencies_are_in_milliseconds_and_in_order(self):
        log = "1795354247499060\t200\t6727\n1795354247499061\t200\t900\n1795354247499070\t200\t15000\n"
        self.assertEqual(load.latencies(log), [0.9, 6.727, 15.0])

    def test_a_shape_is_connections_and_streams(self):
        shape = load.Shape.parse("10x50")
        self.assertEqual((shape, str(shape)), (load.Shape(10, 50), "10×50"))
        self.assertEqual((shape.round_up(1), shape.round_up(10), shape.round_up(11)), (10, 10, 20))
        for text in ("10", "0x5", "x", "1x2x3", "1x-1"):
            with self.assertRaises(ValueError):
                load.Shape.parse(text)

    def test_times_and_memory_come_from_proc(self):
        self.assertEqual(process.stat_times(STAT), [11, 22, 33, 44])
        self.assertEqual(process.kilobytes(ROLLUP, "Rss:"), 1234 * 1024)
        with self.assertRaises(process.Failed):
            process.kilobytes(ROLLUP, "VmHWM:")

    def test_a_total_of_callgrind_is_read(self):
        self.assertEqual(instructions.parse_total("events: Ir\nsummary: 123\n\nfn=(1)\n1 5\n\ntotals: 123\n"), 123)
        with self.assertRaises(process.Failed):
            instructions.parse_total("events: Ir\n")


class Figures(unittest.TestCase):
    def test_a_ratio_is_formed_in_each_round(self):
        # The medians, 2 and 4, would give 0.5.
        self.assertEqual(figures.ratios([1, 2, 30], [4, 2, 10]), figures.Spread(1, 0.25, 3))
        with self.assertRaises(ValueError):
            figures.ratios([1], [1, 2])

    def test_a_spread_is_the_median_with_the_least_and_the_most(self):
        spread = figures.Spread.of([3, 1, 1000, 2])
        self.assertEqual(spread, figures.Spread(2.5, 1, 1000))
        self.assertEqual(spread.text(1), "2.5 (1.0–1,000.0)")

    def test_a_percentile_is_one_of_the_values(self):
        values = list(range(1, 1001))
        self.assertEqual([figures.percentile(values, percent) for percent in (50, 99, 100)], [500, 990, 1000])
        self.assertEqual(figures.percentile([7], 99), 7)


class Fake:
    """A server, as a context and as its process. The second time it is started it may fail."""

    def __init__(self, name, fails=False):
        self.name = self.title = name
        self.fails, self.starts = fails, 0

    def start(self):
        self.starts += 1
        if self.fails and self.starts == 2:
            raise process.Failed("it is tired")
        return contextlib.nullcontext()


class Failures(unittest.TestCase):
    def measure(self, *compared):
        run = comparison.Run(user=1, system=1, per_second=1, p50_ms=1, p99_ms=1, peak=1, calls=1)
        plan = comparison.Plan(rounds=3, shapes=[load.Shape(1, 1)], run_seconds=1, warm_up_seconds=1)
        with unittest.mock.patch.object(comparison, "measure_once", lambda *_: (run, 1)):
            return comparison.measure(list(compared), plan, lambda line: None)

    def test_a_server_that_fails_is_left_out_of_all_rounds(self):
        tired = Fake("tired", fails=True)
        runs, failed = self.measure(Fake("calc"), tired, Fake("other"))
        self.assertEqual({name: len(of) for (_, name), of in runs.items()}, {"calc": 3, "other": 3})
        self.assertEqual(failed, {tired: "it is tired"})

    def test_nothing_is_compared_without_calc(self):
        with self.assertRaisesRegex(process.Failed, "tired"):
            self.measure(Fake("calc", fails=True), Fake("other"))

    def test_a_call_that_fails_is_none_that_was_fast(self):
        client = probe.Client(TARGET)
        client.connection.close()
        client.connection = None
        # Nobody listens there.
        client.target = "127.0.0.1:1"
        client.failures = Ending(client.ended)
        client.start()
        client.join(60)
        self.assertEqual(len(client.failures), 1)
        self.assertGreaterEqual(min(client.latencies), connection.PATIENCE_SECONDS * 1000)


class Ending(list):
    """Failures, of which the first is the last."""

    def __init__(self, ended):
        super().__init__()
        self.ended = ended

    def append(self, failure):
        super().append(failure)
        self.ended.set()


# A client program that works half a second for its calls, and as long before and after them.
PROGRAM = """
import sys, time
def work():
    end = time.process_time() + 0.5
    while time.process_time() < end: pass
def tell(what):
    work(); print(what, flush=True); sys.stdin.readline()
tell("ready"); tell("done"); work(); print(30.5, 99.0)
"""


class ClientPrograms(unittest.TestCase):
    def run_program(self, program):
        client = clients.Client("fake", "fake", [sys.executable, "-c", program])
        return clients.run_calls(client, TARGET, 50, 999)

    def test_the_cpu_time_is_that_of_the_measured_calls_alone(self):
        run = self.run_program(PROGRAM)
        # Rounded up, so that all 50 loops make equally many.
        self.assertEqual((run.calls, run.p50, run.p99), (1000, 30.5, 99.0))
        self.assertAlmostEqual(run.cpu, 500, delta=60)
        self.assertLess(run.per_second, 2_001)

    def test_a_client_that_fails_is_no_result(self):
        run = "print('ready'); input(); print('done'); input()"
        for program in ("print('20 + 10 is 31')", f"{run}; print('broken')", f"{run}; print(1, 2); exit(1)"):
            with self.assertRaises(process.Failed):
                self.run_program(program)

    def test_a_program_must_print_the_sum_and_exit_with_0(self):
        for program in ("print(31)", "print(30); exit(3)"):
            with self.assertRaises(process.Failed):
                clients.run_once(clients.Once("fake", "fake", [sys.executable, "-c", program]), TARGET)
        run = clients.run_once(clients.Once("fake", "fake", [sys.executable, "-c", "print(30)"]), TARGET)
        self.assertTrue(0 < run.cpu and 0 < run.wall)

    def test_ratios_are_to_the_stub_in_the_same_round(self):
        def runs(*cpus):
            return [types.SimpleNamespace(cpu=cpu) for cpu in cpus]

        figures = types.SimpleNamespace(runs={(1, "cpp"): runs(4, 2, 10), (1, "blocking"): runs(1, 2, 30)})
        self.assertEqual(clients.cpu_ratio(figures, 1, "blocking"), Spread(1, 0.25, 3))
        self.assertIsNone(clients.cpu_ratio(types.SimpleNamespace(runs={}), 1, "blocking"))


class Client(unittest.TestCase):
    def test_it_checks_the_answer_to_a_call(self):
        with contextlib.closing(connection.Connection(TARGET)) as client:
            client.settle()
            client.add()
            client.add()
            client.headers = connection.header_block("/calc.Calculator/Power", TARGET)
            with self.assertRaisesRegex(process.Failed, "the answer to 20 [+] 10 is ''"):
                client.add()

    def test_an_attack_ends_when_all_streams_are_reset_and_leaves_the_server_well(self):
        attack = rapid_reset.attack(TARGET, 1_000)
        self.assertEqual(attack.streams, 1_000)
        with contextlib.closing(connection.Connection(TARGET)) as client:
            client.add()


if __name__ == "__main__":
    unittest.main()
