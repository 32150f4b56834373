//! Requests by weight.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use runtime::{Cache, Resource, Watches};

use crate::route::{AnyHost, Asked, RuleId, Target, rule};

/// HTTPRoutes of the Gateway API.
const HTTP_ROUTES: Resource = Resource::builtin("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");
/// Rules whose turns are remembered; beyond that all begin again.
const MAX_RULES: usize = 10_000;

/// Gives each Service of a rule its share, as evenly as can be. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Split {
    routes: Cache,
    turns: Arc<Mutex<BTreeMap<RuleId, Turn>>>,
}

/// What a rule's Services are owed.
#[derive(Debug, Default)]
struct Turn {
    targets: Vec<Target>,
    owed: Vec<i64>,
}

/// Where the HTTPRoutes send a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// No rule matches it.
    NoRule,
    /// A rule matches, all of whose weights are 0.
    NoWeight,
    /// To this Service.
    Target(Target),
}

impl Split {
    /// Returns the split by the HTTPRoutes that `watches` sees; there need be no such kind.
    pub(crate) fn new(watches: &Watches) -> Self {
        Self { routes: watches.cache(&HTTP_ROUTES), turns: Arc::default() }
    }

    /// Returns where a request goes, and remembers it for the next one.
    pub(crate) fn choose(&self, asked: Asked<'_>, any: AnyHost) -> Choice {
        let Some((id, targets)) = rule(&self.routes.list(), asked, any) else { return Choice::NoRule };
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= MAX_RULES {
            turns.clear();
        }
        turns.entry(id).or_default().next(targets).map_or(Choice::NoWeight, Choice::Target)
    }
}

impl Turn {
    /// Returns whose turn it is: who is owed most after each has been given its weight.
    ///
    /// Example: weights 3 and 1 give a, a, b, a.
    fn next(&mut self, targets: Vec<Target>) -> Option<Target> {
        if self.targets != targets {
            self.owed = vec![0; targets.len()];
            self.targets = targets;
        }
        let mut total = 0;
        for (owed, target) in self.owed.iter_mut().zip(&self.targets) {
            *owed += i64::from(target.weight);
            total += i64::from(target.weight);
        }
        let weighty = (0..self.targets.len()).filter(|index| self.targets[*index].weight > 0);
        let first = weighty.max_by_key(|index| (self.owed[*index], std::cmp::Reverse(*index)))?;
        self.owed[first] -= total;
        self.targets.get(first).cloned()
    }
}

#[cfg(test)]
mod tests {
    use object::Key;

    use super::*;

    fn targets(weights: &[u32]) -> Vec<Target> {
        let one = |(index, weight): (usize, &u32)| Target {
            service: Key::new("shop", &index.to_string()),
            port: None,
            weight: *weight,
        };
        weights.iter().enumerate().map(one).collect()
    }

    fn taken(turn: &mut Turn, weights: &[u32], count: usize) -> String {
        let name =
            |_| turn.next(targets(weights)).map_or_else(|| "-".to_owned(), |target| target.service.name);
        (0..count).map(name).collect()
    }

    #[test]
    fn each_has_its_share_and_nobody_waits_for_long() {
        let mut turn = Turn::default();
        assert_eq!(taken(&mut turn, &[3, 1], 8), "00100010");
        assert_eq!(taken(&mut turn, &[0, 100], 3), "111");
        assert_eq!(taken(&mut turn, &[0, 0], 2), "--");
        assert_eq!(taken(&mut turn, &[], 1), "-");
        let many = taken(&mut turn, &[93, 7], 1000);
        assert_eq!(many.bytes().filter(|byte| *byte == b'1').count(), 70);
    }
}
