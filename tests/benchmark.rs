//! The parts of the benchmark; all of it, `script/bench`, takes minutes.

use crate::common::process::{python, stdout_of};
use crate::common::{calculator, root, target};

#[test]
fn the_benchmark_reads_its_tools_right_and_notices_calls_that_fail() {
    let server = calculator();
    let modules = root().join("benches/compare");
    stdout_of(python("tests/python/benchmark.py").env("PYTHONPATH", modules).arg(target(&server)));
}

#[test]
fn the_benchmark_is_content_with_our_replies() {
    let server = calculator();
    stdout_of(python("benches/compare/replies.py").arg(target(&server)));
}

#[test]
fn the_plan_of_capacity_follows_from_the_benchmark() {
    stdout_of(python("benches/compare/capacity.py").arg("--check"));
}
