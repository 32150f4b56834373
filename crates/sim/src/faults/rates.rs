//! How often what fails.

use std::collections::BTreeMap;

/// How often each fault strikes, in 1,000 occasions of its kind.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// A write is refused with a conflict, nothing stored.
    pub conflict: u64,
    /// A request is refused with 503, nothing stored.
    pub error: u64,
    /// A write is stored but the answer is lost.
    pub lost_answer: u64,
    /// The process dies right before a write is sent.
    pub crash_before: u64,
    /// The process dies right after a write was stored, before it sees the answer.
    pub crash_after: u64,
    /// A watch ends after a few events.
    pub watch_gap: u64,
    /// A request is delayed by up to two seconds.
    pub delay: u64,
    /// With an event of a watch, all watches of the process begin to lag by 1 to 10 s, while reads are fresh.
    pub stale: u64,
    /// With an event of a watch, those of its kind begin to lag behind the other kinds by up to 5 s.
    pub reorder: u64,
    /// With a write of a router's object, such writes are refused with 403 for the next 5 to 60 s.
    pub route_refused: u64,
    /// In a minute, the clock of the process jumps forward by up to 90 s.
    pub jump_forward: u64,
    /// In a minute, the clock of the process jumps back by up to 5 s.
    pub jump_back: u64,
}

impl Rates {
    /// Rates at which every fault strikes several times in a canary.
    pub const ROUGH: Self = Self {
        conflict: 60,
        error: 30,
        lost_answer: 30,
        crash_before: 15,
        crash_after: 15,
        watch_gap: 300,
        delay: 100,
        stale: 5,
        reorder: 20,
        route_refused: 100,
        jump_forward: 50,
        jump_back: 100,
    };
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as the fields of Rates, which say what they are")]
pub enum Fault {
    Conflict,
    Error,
    LostAnswer,
    CrashBefore,
    CrashAfter,
    WatchGap,
    Delay,
    Stale,
    Reorder,
    RouteRefused,
    JumpForward,
    JumpBack,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Conflict,
        Self::Error,
        Self::LostAnswer,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::WatchGap,
        Self::Delay,
        Self::Stale,
        Self::Reorder,
        Self::RouteRefused,
        Self::JumpForward,
        Self::JumpBack,
    ];

    /// Returns how often it strikes at these rates, in 1,000 occasions.
    pub fn rate(self, rates: &Rates) -> u64 {
        match self {
            Self::Conflict => rates.conflict,
            Self::Error => rates.error,
            Self::LostAnswer => rates.lost_answer,
            Self::CrashBefore => rates.crash_before,
            Self::CrashAfter => rates.crash_after,
            Self::WatchGap => rates.watch_gap,
            Self::Delay => rates.delay,
            Self::Stale => rates.stale,
            Self::Reorder => rates.reorder,
            Self::RouteRefused => rates.route_refused,
            Self::JumpForward => rates.jump_forward,
            Self::JumpBack => rates.jump_back,
        }
    }
}

/// How often each kind of fault has struck.
pub type Struck = BTreeMap<Fault, u64>;
