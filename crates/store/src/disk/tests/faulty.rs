use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Database, StorageBackend};

use crate::disk::Medium;

/// A disk in memory that runs full, fails to sync, or loses power. Clones are the same disk.
#[derive(Clone, Debug)]
pub(super) struct Faulty {
    image: Arc<Mutex<Image>>,
}

#[derive(Debug)]
struct Image {
    /// What reads see.
    bytes: Vec<u8>,
    /// What the last sync made safe.
    durable: Vec<u8>,
    /// What was done since.
    pending: Vec<Operation>,
    /// Bytes that can still be written before the disk is full.
    room: u64,
    /// How long the file may become.
    longest: usize,
    written: u64,
    /// The how-many-eth sync from now fails, once; 0: none does.
    failing_sync: u32,
}

#[derive(Clone, Debug)]
enum Operation {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Operation {
    fn perform(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let end = offset + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
            Self::SetLen(len) => bytes.resize(*len, 0),
        }
    }
}

impl Default for Faulty {
    fn default() -> Self {
        Self::holding(Vec::new())
    }
}

impl Faulty {
    fn holding(bytes: Vec<u8>) -> Self {
        let durable = bytes.clone();
        let (room, longest) = (u64::MAX, usize::MAX);
        let image = Image { bytes, durable, pending: Vec::new(), room, longest, written: 0, failing_sync: 0 };
        Self { image: Arc::new(Mutex::new(image)) }
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.image.lock().unwrap()
    }

    /// Returns the bytes written so far.
    pub(super) fn written(&self) -> u64 {
        self.image().written
    }

    /// Lets this many more bytes be written.
    pub(super) fn allow(&self, room: u64) {
        self.image().room = room;
    }

    /// Returns how long the file is.
    pub(super) fn length(&self) -> usize {
        self.image().bytes.len()
    }

    /// Lets the file become this long.
    pub(super) fn allow_length(&self, longest: usize) {
        self.image().longest = longest;
    }

    /// Makes the how-many-eth sync from now fail, once.
    pub(super) fn fail_sync(&self, nth: u32) {
        self.image().failing_sync = nth;
    }

    /// Returns a sound disk with what this one holds: what a killed process leaves.
    pub(super) fn copy(&self) -> Self {
        Self::holding(self.image().bytes.clone())
    }

    /// Puts what `other` holds in the place of what is here, and makes room.
    pub(super) fn replace(&self, other: &Self) {
        let bytes = other.image().bytes.clone();
        let mut image = self.image();
        image.durable.clone_from(&bytes);
        image.bytes = bytes;
        image.pending.clear();
        image.room = u64::MAX;
    }

    /// Returns a sound disk with what was synced, and of what was not only the operations that `kept` picks.
    pub(super) fn after_power_loss(&self, kept: &[bool]) -> Self {
        let image = self.image();
        let mut bytes = image.durable.clone();
        for (operation, kept) in image.pending.iter().zip(kept.iter().cycle()) {
            if *kept {
                operation.perform(&mut bytes);
            }
        }
        Self::holding(bytes)
    }
}

impl Medium for Faulty {
    fn open(&self) -> std::result::Result<Database, redb::Error> {
        Ok(Database::builder().create_with_backend(self.clone())?)
    }
}

impl Image {
    fn perform(&mut self, operation: Operation) {
        operation.perform(&mut self.bytes);
        self.pending.push(operation);
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> Result<u64> {
        Ok(self.image().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let start = usize::try_from(offset).unwrap();
        let image = self.image();
        let found = image.bytes.get(start..start + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let (len, mut image) = (usize::try_from(len).unwrap(), self.image());
        if len > image.longest {
            return Err(Error::new(ErrorKind::StorageFull, "the disk is full"));
        }
        image.perform(Operation::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let mut image = self.image();
        if image.failing_sync > 0 {
            image.failing_sync -= 1;
            if image.failing_sync == 0 {
                return Err(Error::other("the disk failed"));
            }
        }
        image.durable = image.bytes.clone();
        image.pending.clear();
        Ok(())
    }

    /// Writes what there is room for; once that was not all of it, the disk is full.
    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut image = self.image();
        let fits = usize::try_from(image.room.min(data.len() as u64)).unwrap();
        image.room -= fits as u64;
        image.written += fits as u64;
        image.perform(Operation::Write(usize::try_from(offset).unwrap(), data[..fits].to_vec()));
        if fits == data.len() {
            return Ok(());
        }
        image.room = 0;
        Err(Error::new(ErrorKind::StorageFull, "the disk is full"))
    }
}
