//! A store that has what every world begins with: making that takes a quarter of a seed's time, so it is made once in a
//! process and copied.

use std::sync::Arc;

use apiserver::{ApiServer, Config};
use bytes::Bytes;
use object::Time;
use runtime::{Clock, Cluster};
use store::{Expect, Store};
use tokio::sync::OnceCell;

use super::{NAMESPACE, WorldError};

/// When a world begins: 2026-01-01T00:00:00Z.
pub(super) const BEGIN: i64 = 1_767_225_600;

type Entries = Vec<(Arc<str>, Bytes)>;

static ENTRIES: OnceCell<Entries> = OnceCell::const_new();

/// Returns a store with the namespaces that every cluster has, and with our definitions.
pub(super) async fn store() -> Result<Store, WorldError> {
    let store = Store::memory();
    for (key, value) in ENTRIES.get_or_try_init(install).await? {
        store.put(key, value.clone(), Expect::Absent).await?;
    }
    Ok(store)
}

async fn install() -> Result<Entries, WorldError> {
    let (store, clock) = (Store::memory(), Clock::starting_at(Time::from_unix(BEGIN)));
    let api = ApiServer::new(store.clone(), clock.clone(), Config { seed: 0, ..Config::default() });
    api.bootstrap().await?;
    let cluster = Cluster::new(kube::Client::new(api.router(), "default"), clock);
    controllers::install(&cluster, NAMESPACE).await?;
    let page = store.range("", None, None, None)?;
    Ok(page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}
