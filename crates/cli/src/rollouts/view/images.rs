//! The images that run, and for whom.

use crate::print::Ink;

use super::{ExperimentInfo, ReplicaSetInfo};

/// Whom an image serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// New version of a canary.
    Canary,
    /// Version that all traffic falls back to.
    Stable,
    /// Version that the active service points to.
    Active,
    /// Version that the preview service points to.
    Preview,
    /// Version behind the ping service.
    Ping,
    /// Version behind the pong service.
    Pong,
    /// Template of an experiment.
    Template(String),
}

impl Tag {
    /// Returns the word that is shown.
    pub fn text(&self) -> String {
        match self {
            Self::Canary => "canary".into(),
            Self::Stable => "stable".into(),
            Self::Active => "active".into(),
            Self::Preview => "preview".into(),
            Self::Ping => "ping".into(),
            Self::Pong => "pong".into(),
            Self::Template(name) => format!("Σ:{name}"),
        }
    }

    /// Returns its colour.
    pub fn ink(&self) -> Ink {
        match self {
            Self::Canary => Ink::Yellow,
            Self::Stable | Self::Active => Ink::Green,
            Self::Preview | Self::Ping | Self::Pong => Ink::Blue,
            Self::Template(_) => Ink::Plain,
        }
    }
}

/// An image and whom it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Reference as in the pod template.
    pub name: String,
    /// In the order they were found; sorted by word once two sources were merged.
    pub tags: Vec<Tag>,
}

/// Returns the images of the ReplicaSets that have pods, then of the experiments, sorted by name.
pub(super) fn of_rollout(replica_sets: &[ReplicaSetInfo], experiments: &[ExperimentInfo]) -> Vec<Image> {
    let mut images = Vec::new();
    collect(&mut images, replica_sets, ReplicaSetInfo::tags);
    for experiment in experiments {
        experiment.images().into_iter().for_each(|image| merge(&mut images, image));
    }
    images
}

/// Returns the images of an experiment's ReplicaSets that have pods, sorted by name.
pub(super) fn of_experiment(replica_sets: &[ReplicaSetInfo]) -> Vec<Image> {
    let mut images = Vec::new();
    collect(&mut images, replica_sets, |set| set.template.clone().map(Tag::Template).into_iter().collect());
    images
}

fn collect(images: &mut Vec<Image>, sets: &[ReplicaSetInfo], tags: impl Fn(&ReplicaSetInfo) -> Vec<Tag>) {
    for set in sets.iter().filter(|set| set.replicas > 0) {
        for name in &set.images {
            merge(images, Image { name: name.clone(), tags: tags(set) });
        }
    }
}

fn merge(images: &mut Vec<Image>, image: Image) {
    match images.iter_mut().find(|known| known.name == image.name) {
        None => images.push(image),
        Some(known) => {
            known.tags.extend(image.tags);
            known.tags.sort_by_key(Tag::text);
            known.tags.dedup();
        }
    }
    images.sort_by(|a, b| a.name.cmp(&b.name));
}
