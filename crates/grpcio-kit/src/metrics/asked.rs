//! Numbers that something else keeps, asked for at each scrape.

use std::collections::HashMap;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::calls::family_of;

/// A counter or gauge without labels, whose number a closure tells.
pub(super) struct Asked<F> {
    description: Desc,
    kind: MetricType,
    metric: F,
}

impl<F: Fn() -> Metric> Asked<F> {
    pub fn new(name: &str, help: &str, kind: MetricType, metric: F) -> prometheus::Result<Asked<F>> {
        let description = Desc::new(name.to_owned(), help.to_owned(), Vec::new(), HashMap::new())?;
        Ok(Asked { description, kind, metric })
    }
}

impl<F: Fn() -> Metric + Send + Sync> Collector for Asked<F> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.description]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        vec![family_of(&self.description.fq_name, &self.description.help, self.kind, vec![(self.metric)()])]
    }
}
