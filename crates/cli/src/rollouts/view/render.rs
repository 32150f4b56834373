//! The text of a view: key rows, then the tree.

use std::fmt::{Display, Write as _};

use object::Time;

use crate::Colour;
use crate::print::paint;

use super::{ExperimentInfo, Image, RolloutInfo, Row, Strategy, tree};

/// Returns what `get rollout` prints.
pub fn render(info: &RolloutInfo, now: Time, colour: Colour) -> String {
    let mut out = String::new();
    head(&mut out, &info.row, &info.namespace, &info.message, colour);
    key(&mut out, "Strategy:", info.strategy.word());
    if let Strategy::Canary(progress) = &info.strategy {
        key(&mut out, "  Step:", &progress.step);
        key(&mut out, "  SetWeight:", progress.set_weight);
        key(&mut out, "  ActualWeight:", progress.actual_weight);
    }
    images(&mut out, &info.images(), colour);
    out.push_str("Replicas:\n");
    key(&mut out, "  Desired:", info.replicas.desired);
    key(&mut out, "  Current:", info.replicas.current);
    key(&mut out, "  Updated:", info.replicas.updated);
    key(&mut out, "  Ready:", info.replicas.ready);
    key(&mut out, "  Available:", info.replicas.available);
    out.push('\n');
    out.push_str(&tree::of_rollout(info, now, colour));
    out
}

/// Returns what `get experiment` prints.
pub fn render_experiment(info: &ExperimentInfo, now: Time, colour: Colour) -> String {
    let mut out = String::new();
    head(&mut out, &info.row, &info.namespace, &info.message, colour);
    images(&mut out, &info.images(), colour);
    out.push('\n');
    out.push_str(&tree::of_experiment(info, now, colour));
    out
}

fn head(out: &mut String, row: &Row, namespace: &str, message: &str, colour: Colour) {
    key(out, "Name:", &row.name);
    key(out, "Namespace:", namespace);
    key(out, "Status:", format!("{} {}", row.icon.painted(colour), row.status));
    if !message.is_empty() {
        key(out, "Message:", message);
    }
}

fn images(out: &mut String, images: &[Image], colour: Colour) {
    for (index, image) in images.iter().enumerate() {
        key(out, if index == 0 { "Images:" } else { "" }, tagged(image, colour));
    }
}

fn tagged(image: &Image, colour: Colour) -> String {
    if image.tags.is_empty() {
        return image.name.clone();
    }
    let tags: Vec<String> = image.tags.iter().map(|tag| paint(&tag.text(), tag.ink(), colour)).collect();
    format!("{} ({})", image.name, tags.join(", "))
}

fn key(out: &mut String, label: &str, value: impl Display) {
    let _ = writeln!(out, "{label:<17}{value}");
}
