//! What the routers are to carry.

use api::rollout::{Rollout, SetHeaderRoute, SetMirrorRoute};

/// Where one version's pods are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Name of its Service, empty when none is defined.
    pub service: String,
    /// Pod-template hash, empty when there is no ReplicaSet.
    pub hash: String,
}

/// An Experiment's pods that get a share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Additional {
    /// Name of the Service.
    pub service: String,
    /// Pod-template hash.
    pub hash: String,
    /// Share, of the same total as the others.
    pub weight: i32,
}

/// Shares of the versions; what is left is the stable version's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Share of the new version, 0 to `max`.
    pub canary: i32,
    /// What all shares add up to; 100 unless `maxTrafficWeight` says otherwise.
    pub max: i32,
    /// Shares of Experiments.
    pub additional: Vec<Additional>,
}

impl Weight {
    /// Returns the share of the new version out of `max`, nothing for Experiments.
    pub fn new(canary: i32, max: i32) -> Self {
        Self { canary, max, additional: Vec::new() }
    }

    /// Returns the share of the stable version; never below 0.
    pub fn stable(&self) -> i32 {
        let others: i32 = self.additional.iter().map(|additional| additional.weight).sum();
        (self.max - self.canary - others).max(0)
    }

    /// Returns the Experiments' shares sorted by Service.
    pub(crate) fn sorted(&self) -> Vec<&Additional> {
        let mut sorted: Vec<&Additional> = self.additional.iter().collect();
        sorted.sort_by(|a, b| a.service.cmp(&b.service));
        sorted
    }
}

/// Whether what tells pods apart by their hash (subsets of a DestinationRule) is to be brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hashes {
    /// Leave it.
    #[default]
    Keep,
    /// Update it, before the weights.
    Update,
    /// Update it, after the weights: the new version has lost its pods and must lose its share first.
    UpdateLast,
}

/// What becomes of the routes in `managedRoutes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Managed {
    /// They stay.
    #[default]
    Keep,
    /// All go.
    Remove,
}

/// What the routers are to carry; what is absent is left as it is.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The Rollout: names, namespace, owner, `trafficRouting`, which of ping and pong is stable.
    pub rollout: &'a Rollout,
    /// The new version: `canaryService` and its hash.
    pub canary: Destination,
    /// The stable version: `stableService` and its hash.
    pub stable: Destination,
    /// Shares.
    pub weight: Option<Weight>,
    /// Whether hashes are to be updated.
    pub hashes: Hashes,
    /// Header route to make; to remove when it has no match.
    pub header: Option<&'a SetHeaderRoute>,
    /// Mirror route to make; to remove when it has no match.
    pub mirror: Option<&'a SetMirrorRoute>,
    /// What becomes of the managed routes; removal comes before `header` and `mirror`.
    pub managed: Managed,
}

impl<'a> Wanted<'a> {
    /// Returns a wish that changes nothing, with the Services of the spec and no hashes.
    pub fn nothing(rollout: &'a Rollout) -> Self {
        let canary = rollout.canary();
        let destination = |service: Option<&String>| Destination {
            service: service.cloned().unwrap_or_default(),
            hash: String::new(),
        };
        Self {
            rollout,
            canary: destination(canary.map(|canary| &canary.canary_service)),
            stable: destination(canary.map(|canary| &canary.stable_service)),
            weight: None,
            hashes: Hashes::Keep,
            header: None,
            mirror: None,
            managed: Managed::Keep,
        }
    }

    /// Returns the names in `managedRoutes`, in their order.
    pub(crate) fn managed_names(&self) -> Vec<&'a str> {
        let routing = self.rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
        let routes = routing.map(|routing| routing.managed_routes.as_slice()).unwrap_or_default();
        routes.iter().map(|route| route.name.as_str()).collect()
    }
}
