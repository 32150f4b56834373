//! [`Membership`]: what a replica knows of the others, and what it may therefore act on. Pure: it is told the time.
//!
//! Each replica publishes in its Lease the view by which it shares the work: its *claim* to the keys that it owns by that
//! view. It acts on a key when
//!
//! 1. its own lease was renewed not long ago, by its own clock, and its claim holds the key;
//! 2. after that claim was published, it looked at all leases, and no other live replica claimed the key by *its* view, or
//!    each one that did has published another view since or has expired.
//!
//! A replica that is about to publish a view without a key has no write for that key under way any more and begins none.
//!
//! **Invariant:** no two replicas act on one key. Of two that do, one published its claim to the key later, looked after
//! that, and saw the claim of the other: so the other had given the key up, or was expired, which it knows itself before
//! anybody else can see it (`deadline` < `lease`). Only durations on one machine's own clock are compared, never the times
//! of two machines; clocks have to run at about the same rate.

use std::collections::BTreeMap;
use std::time::Duration;

use object::Key;

use super::ring::{View, owner};

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// How long a lease holds without being renewed, for the others.
    pub lease: Duration,
    /// How long a lease holds without being renewed, for its owner.
    pub deadline: Duration,
    /// Age at which a lease is renewed.
    pub renew: Duration,
    /// Wait between looks at the leases.
    pub look: Duration,
    /// The same while something is being handed over.
    pub haste: Duration,
}

impl Default for Timings {
    /// Returns client-go's times of leader election: 15 s, 10 s, a look every 2 s; a lease is renewed every other look.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            deadline: Duration::from_secs(10),
            renew: Duration::from_secs(4),
            look: Duration::from_secs(2),
            haste: Duration::from_millis(250),
        }
    }
}

/// What the Lease of another replica says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Name of the replica.
    pub member: String,
    /// Version of the Lease: another one with each renewal.
    pub version: String,
    /// View that it works by.
    pub view: View,
    /// How long it holds.
    pub lease: Duration,
}

#[derive(Debug)]
struct Other {
    seen: Seen,
    /// When this version was first seen.
    since: Duration,
    expired: bool,
}

/// A view that is, or is about to be, in our Lease.
#[derive(Debug)]
struct Claim {
    view: View,
    published: bool,
    /// Views of those who had to be waited for when the leases were looked at first after publishing; `None` before.
    rivals: Option<BTreeMap<String, View>>,
}

/// What one replica knows. All times are since its start, by its own steady clock.
#[derive(Debug)]
pub struct Membership {
    me: String,
    timings: Timings,
    others: BTreeMap<String, Other>,
    /// Oldest first. A key in all of them from one on has been claimed since then without a gap.
    claims: Vec<Claim>,
    valid_until: Option<Duration>,
}

/// Claims that are remembered; with more, what the oldest allowed has to be allowed anew.
const CLAIMS: usize = 16;

impl Membership {
    /// Returns the knowledge of a replica that has seen nothing and owns nothing.
    pub fn new(me: &str, timings: Timings) -> Self {
        Self { me: me.to_owned(), timings, others: BTreeMap::new(), claims: Vec::new(), valid_until: None }
    }

    /// Returns true when this replica may write for `key` at `now`.
    pub fn owns(&self, key: &Key, now: Duration) -> bool {
        self.is_valid(now) && self.is_granted(key)
    }

    /// Returns true when our own lease holds.
    pub fn is_valid(&self, now: Duration) -> bool {
        self.valid_until.is_some_and(|until| now < until)
    }

    fn is_granted(&self, key: &Key) -> bool {
        for claim in self.claims.iter().rev() {
            if owner(&claim.view, key) != Some(&self.me) {
                return false;
            }
            let rival = |(name, view): (&String, &View)| owner(view, key) == Some(name);
            if claim.rivals.as_ref().is_some_and(|rivals| !rivals.iter().any(rival)) {
                return true;
            }
        }
        false
    }

    /// Returns true when the newest claim, whether it is published or not, holds `key`.
    pub fn claims(&self, key: &Key) -> bool {
        self.claims.last().is_some_and(|claim| owner(&claim.view, key) == Some(&self.me))
    }

    /// Takes in all leases, as listed by a request that was made at `began` and answered at `done`.
    ///
    /// A lease has expired when it is unchanged since it was first seen, for as long as it says: seen is when the answer
    /// came, unchanged is what a request says that was made after that time.
    pub fn look(&mut self, leases: Vec<Seen>, began: Duration, done: Duration) {
        let mut before = std::mem::take(&mut self.others);
        for seen in leases.into_iter().filter(|seen| seen.member != self.me) {
            let known = before.remove(&seen.member).filter(|other| other.seen.version == seen.version);
            let since = known.map_or(done, |other| other.since);
            let expired = began.saturating_sub(since) >= seen.lease;
            self.others.insert(seen.member.clone(), Other { seen, since, expired });
        }
        self.settle();
    }

    /// Looks at the claims of the others in the light of what was seen last.
    fn settle(&mut self) {
        let live = || self.others.iter().filter(|(_, other)| !other.expired);
        for claim in self.claims.iter_mut().filter(|claim| claim.published) {
            match &mut claim.rivals {
                None => {
                    claim.rivals =
                        Some(live().map(|(name, other)| (name.clone(), other.seen.view.clone())).collect());
                }
                Some(rivals) => {
                    rivals.retain(|name, view| {
                        let other = self.others.get(name).filter(|other| !other.expired);
                        other.is_some_and(|other| {
                            view.clone_from(&other.seen.view);
                            true
                        })
                    });
                }
            }
            // by the same view nobody claims what is ours
            let own = &claim.view;
            claim.rivals.iter_mut().for_each(|rivals| rivals.retain(|_, view| view != own));
        }
        let settled = |claim: &Claim| claim.rivals.as_ref().is_some_and(BTreeMap::is_empty);
        if self.claims.last().is_some_and(settled) {
            self.claims.drain(..self.claims.len() - 1);
        }
    }

    /// Returns the replicas that live, with this one: the view to work by.
    pub fn live(&self) -> View {
        let others = self.others.iter().filter(|(_, other)| !other.expired);
        others.map(|(name, _)| name.clone()).chain([self.me.clone()]).collect()
    }

    /// Returns the replicas that have been expired for another `lease`: their Leases may be cleared away.
    pub fn dead(&self, now: Duration) -> Vec<&Seen> {
        let long = |other: &&Other| {
            other.expired && now.saturating_sub(other.since) >= other.seen.lease + self.timings.lease
        };
        self.others.values().filter(long).map(|other| &other.seen).collect()
    }

    /// Begins to claim by `view`: what it does not hold is given up now. To be published once no write for that is under
    /// way. Returns false when this is the newest claim already.
    pub fn announce(&mut self, view: View) -> bool {
        if self.claims.last().is_some_and(|claim| claim.view == view) {
            return false;
        }
        self.claims.push(Claim { view, published: false, rivals: None });
        let extra = self.claims.len().saturating_sub(CLAIMS);
        self.claims.drain(..extra);
        true
    }

    /// Returns the newest claim's view and whether it is in our Lease.
    pub fn newest(&self) -> Option<(&View, bool)> {
        self.claims.last().map(|claim| (&claim.view, claim.published))
    }

    /// Returns the newest view that is in our Lease.
    pub fn published_view(&self) -> Option<&View> {
        self.claims.iter().rfind(|claim| claim.published).map(|claim| &claim.view)
    }

    /// Takes note that our Lease was written with `view`, the newest claim's or one before, by a request made at `began` and
    /// answered at `done`. When the lease had lapsed before that, nothing that was allowed before counts.
    pub fn published(&mut self, view: &View, began: Duration, done: Duration) {
        if !self.is_valid(done) {
            self.claims.retain(|claim| claim.view == *view);
            self.claims.iter_mut().for_each(|claim| claim.rivals = None);
        }
        if let Some(claim) = self.claims.iter_mut().rfind(|claim| claim.view == *view) {
            claim.published = true;
        }
        self.valid_until = Some(began + self.timings.deadline);
    }

    /// Takes note that our Lease is gone: nothing is ours until it is there again.
    pub fn lost(&mut self) {
        self.valid_until = None;
        self.claims.clear();
    }

    /// Returns true while something is being handed over.
    pub fn is_moving(&self) -> bool {
        !self.claims.last().is_some_and(|claim| claim.rivals.as_ref().is_some_and(BTreeMap::is_empty))
    }

    /// Returns what the keys that are ours depend on besides the time: when it changes, they may be others.
    pub fn grant(&self) -> Vec<(View, Option<BTreeMap<String, View>>)> {
        self.claims.iter().map(|claim| (claim.view.clone(), claim.rivals.clone())).collect()
    }
}

#[cfg(test)]
#[path = "membership/tests.rs"]
mod tests;
