//! Percentiles of latencies, and the bars of a histogram.

use std::iter;

use hdrhistogram::Histogram;

/// The percentiles of a report: their names as text and in JSON, and their values.
pub(crate) const PERCENTILES: [(&str, &str, f64); 6] = [
    ("50 %", "p50", 50.0),
    ("90 %", "p90", 90.0),
    ("95 %", "p95", 95.0),
    ("99 %", "p99", 99.0),
    ("99.9 %", "p99_9", 99.9),
    ("99.99 %", "p99_99", 99.99),
];

/// Where bars begin within each power of ten: about equally wide on a logarithmic scale.
const STEPS: [u64; 6] = [10, 15, 20, 30, 50, 70];

/// A bar: the number of latencies of at least `from` and less than `to` nanoseconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) count: u64,
}

/// Returns the bars from the lowest to the highest latency, including empty ones between them.
pub(crate) fn bars(latency: &Histogram<u64>) -> Vec<Bar> {
    let powers = (0..18).map(|power| 10_u64.pow(power));
    let edges = powers.flat_map(|power| STEPS.map(|step| step * power));
    let edges: Vec<_> = iter::once(0).chain(edges).chain([u64::MAX]).collect();
    let mut bars: Vec<_> = edges.windows(2).map(|edge| Bar { from: edge[0], to: edge[1], count: 0 }).collect();
    for value in latency.iter_recorded() {
        let at = bars.partition_point(|bar| bar.to <= value.value_iterated_to());
        if let Some(bar) = bars.get_mut(at) {
            bar.count += value.count_since_last_iteration();
        }
    }
    bars.truncate(bars.iter().rposition(|bar| bar.count > 0).map_or(0, |last| last + 1));
    bars.drain(..bars.iter().position(|bar| bar.count > 0).unwrap_or(0));
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_is_in_a_bar_and_bars_follow_each_other() {
        let mut latency = Histogram::new_with_max(u64::MAX / 2, 3).unwrap();
        for value in [1, 120_000, 149_000, 150_000, 2_500_000, 2_500_000, 1_000_000_000_000] {
            latency.record(value).unwrap();
        }
        let bars = bars(&latency);
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 7);
        assert!(bars.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].from < pair[0].to));
        let at = |from| bars.iter().find(|bar| bar.from == from).unwrap();
        assert_eq!(*at(100_000), Bar { from: 100_000, to: 150_000, count: 2 });
        assert_eq!((at(150_000).count, at(2_000_000).count, at(200_000).count), (1, 2, 0));
    }

    #[test]
    fn without_latencies_there_are_no_bars() {
        assert!(bars(&Histogram::new_with_max(1000, 3).unwrap()).is_empty());
    }
}
