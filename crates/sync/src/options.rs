//! Sync and compare options: of the Application and of one resource. The resource's come first.

use object::Object;

use crate::action::{Propagation, Validation};

/// Annotation with the sync options of one resource, a comma list.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Annotation with the compare options of one resource, a comma list.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";

/// Returns true when the comma list in annotation `key` of `object` has `option`; blanks around an option do not count.
pub fn has(object: &Object, key: &str, option: &str) -> bool {
    object.annotation(key).is_some_and(|list| list.split(',').any(|item| item.trim() == option))
}

/// Returns true when the Application's options or the resource's annotation have `option`.
pub fn either(app: &[String], object: &Object, option: &str) -> bool {
    contains(app, option) || has(object, SYNC_OPTIONS, option)
}

/// Returns true when the Application's options have `option`.
pub fn contains(app: &[String], option: &str) -> bool {
    app.iter().any(|item| item == option)
}

/// Returns what becomes of the dependents of pruned objects; foreground unless the Application says otherwise.
pub fn propagation(app: &[String]) -> Propagation {
    let value = app.iter().find_map(|option| option.strip_prefix("PrunePropagationPolicy="));
    match value {
        Some("background") => Propagation::Background,
        Some("orphan") => Propagation::Orphan,
        _ => Propagation::Foreground,
    }
}

/// How the prune or the deletion of a resource is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Not at all.
    None,
    /// Until someone confirms it.
    Confirm,
    /// For ever.
    Never,
}

/// Returns how `verb` (`Prune` or `Delete`) of `live` is held back: the resource's word, else the Application's.
pub fn hold(app: &[String], live: &Object, verb: &str) -> Hold {
    let of = |is: &dyn Fn(&str) -> bool| {
        [("false", Hold::Never), ("confirm", Hold::Confirm), ("true", Hold::None)]
            .into_iter()
            .find(|(value, _)| is(&format!("{verb}={value}")))
            .map(|(_, hold)| hold)
    };
    of(&|option| has(live, SYNC_OPTIONS, option))
        .or_else(|| of(&|option| contains(app, option)))
        .unwrap_or(Hold::None)
}

/// Returns whether `target` is validated: the resource's word, else the Application's, else it is.
pub fn validation(app: &[String], target: &Object) -> Validation {
    let own = [("Validate=false", Validation::Off), ("Validate=true", Validation::Strict)];
    let own = own
        .into_iter()
        .find(|(option, _)| has(target, SYNC_OPTIONS, option))
        .map(|(_, validation)| validation);
    let general = if contains(app, "Validate=false") { Validation::Off } else { Validation::Strict };
    own.unwrap_or(general)
}
