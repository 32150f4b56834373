//! What survives: the latest entry of each key and the revision counter, in one redb file.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use redb::{Database, Durability, Error, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::batch::Batch;
use crate::directory::Directory;
use crate::{Entry, IoFailure, Revision};

#[cfg(test)]
mod tests;

/// Key → (created, modified, value).
const ENTRIES: TableDefinition<'_, &str, (u64, u64, &[u8])> = TableDefinition::new("entries");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const REVISION: &str = "revision";
const FORMAT: &str = "format";
/// The layout of the tables above.
const CURRENT_FORMAT: u64 = 1;
/// Reads are answered from memory, so pages are cached for writing only. Units: bytes.
const PAGE_CACHE: usize = 8 << 20;

/// Where the database lies. It is opened again after each failure, since redb refuses to go on after one.
pub(crate) trait Medium: Debug + Send {
    fn open(&self) -> Result<Database, Error>;
}

impl Medium for Directory {
    /// A new database gets its name only when it is complete, so that a crash while creating it leaves none behind.
    fn open(&self) -> Result<Database, Error> {
        let data = self.data();
        if !data.try_exists()? {
            let draft = self.draft()?;
            initialise(&builder().create(&draft)?)?;
            std::fs::rename(&draft, &data)?;
            self.sync()?;
        }
        Ok(builder().open(data)?)
    }
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(PAGE_CACHE);
    builder
}

/// The database, and what of it may differ from memory.
#[derive(Debug)]
pub(crate) struct Disk {
    medium: Box<dyn Medium>,
    /// `None` after a failure.
    database: Option<Database>,
    /// The keys of failed commits as they were before. The disk may have taken such a commit all the same: the next
    /// one sets them right.
    doubtful: BTreeMap<Arc<str>, Option<Entry>>,
}

/// What was found on disk.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub revision: Revision,
    pub entries: Vec<Entry>,
}

impl Disk {
    /// Opens the database, creating it at revision 1 if there is none, and reads all of it.
    pub(crate) fn open(medium: impl Medium + 'static) -> Result<(Self, Loaded), IoFailure> {
        let failure = |error| IoFailure::new("open the store", error);
        let database = medium.open().map_err(failure)?;
        initialise(&database).map_err(failure)?;
        let loaded = load(&database).map_err(failure)?;
        let disk = Self { medium: Box::new(medium), database: Some(database), doubtful: BTreeMap::new() };
        Ok((disk, loaded))
    }

    /// Makes the batch durable: all of it or, on an error, none.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), IoFailure> {
        let committed = self.try_commit(batch);
        match &committed {
            Ok(()) => self.doubtful.clear(),
            Err(_) => self.doubt(batch),
        }
        committed.map_err(|error| IoFailure::new("write to the store", error))
    }

    fn try_commit(&mut self, batch: &Batch) -> Result<(), Error> {
        let database = match self.database.take() {
            Some(database) => database,
            None => reopen(&*self.medium, batch.base())?,
        };
        let transaction = begin(self.database.insert(database))?;
        record(&transaction, self.doubtful.iter().chain(batch.outcome()))?;
        transaction.open_table(META)?.insert(REVISION, batch.revision())?;
        Ok(transaction.commit()?)
    }

    fn doubt(&mut self, batch: &Batch) {
        self.database = None;
        for change in batch.changes() {
            let before = || change.previous.clone();
            self.doubtful.entry(change.entry.key.clone()).or_insert_with(before);
        }
    }
}

/// Opens the database again, if it still is the one that was written up to `revision`.
fn reopen(medium: &dyn Medium, revision: Revision) -> Result<Database, Error> {
    let database = medium.open()?;
    let found = database.begin_read()?.open_table(META)?.get(REVISION)?.map_or(0, |found| found.value());
    if found < revision {
        return Err(Error::Corrupted(format!("the file is at revision {found}, the store at {revision}")));
    }
    Ok(database)
}

fn begin(database: &Database) -> Result<WriteTransaction, Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

/// Makes the keys on disk what they are told to be (`None`: absent); later ones win.
fn record<'a>(
    transaction: &WriteTransaction,
    outcome: impl Iterator<Item = (&'a Arc<str>, &'a Option<Entry>)>,
) -> Result<(), Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    for (key, entry) in outcome {
        match entry {
            Some(Entry { key, value, created, modified }) => {
                drop(entries.insert(&**key, (*created, *modified, &**value))?);
            }
            None => drop(entries.remove(&**key)?),
        }
    }
    Ok(())
}

/// Creates the tables of a new database; refuses one of another format.
fn initialise(database: &Database) -> Result<(), Error> {
    let transaction = begin(database)?;
    {
        let mut meta = transaction.open_table(META)?;
        let format = meta.get(FORMAT)?.map(|format| format.value());
        match format {
            Some(CURRENT_FORMAT) => return Ok(()),
            Some(other) => return Err(Error::Corrupted(format!("unknown store format {other}"))),
            None => {
                meta.insert(FORMAT, CURRENT_FORMAT)?;
                meta.insert(REVISION, 1)?;
            }
        }
        transaction.open_table(ENTRIES)?;
    }
    Ok(transaction.commit()?)
}

fn load(database: &Database) -> Result<Loaded, Error> {
    let transaction = database.begin_read()?;
    let revision = transaction.open_table(META)?.get(REVISION)?.map(|revision| revision.value());
    let revision = revision.ok_or_else(|| Error::Corrupted("the store's revision is missing".into()))?;
    let mut entries = Vec::new();
    for record in transaction.open_table(ENTRIES)?.iter()? {
        let (key, value) = record?;
        let (created, modified, value) = value.value();
        let value = bytes::Bytes::copy_from_slice(value);
        entries.push(Entry { key: key.value().into(), value, created, modified });
    }
    Ok(Loaded { revision, entries })
}
