//! Counts the passes of the Rollout controller by what it logs about each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

/// The count so far. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Passes(Arc<AtomicU64>);

impl Passes {
    /// Starts to count in this process; errors go to standard error. To be called once.
    pub(crate) fn count() -> Self {
        let passes = Self(Arc::default());
        let errors = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        Registry::default()
            .with(passes.clone().with_filter(filter_fn(is_pass)))
            .with(errors.with_filter(LevelFilter::ERROR))
            .init();
        passes
    }

    /// Returns how many there were.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Every pass logs once why it decided as it did.
fn is_pass(event: &Metadata<'_>) -> bool {
    event.target().starts_with("controllers::rollout")
        && *event.level() == Level::DEBUG
        && event.fields().field("why").is_some()
}

impl<S: Subscriber> Layer<S> for Passes {
    fn on_event(&self, _event: &Event<'_>, _context: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
