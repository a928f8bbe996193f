//! A disk that can lose its cache, fill up, or fail to sync.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// A generator of its own, so that a run can be repeated.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What happens to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes: nothing reaches it any more.
    Cut,
    /// It takes no more bytes.
    Full,
    /// It does not sync.
    Sync,
}

impl Fault {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Cut => "the power is gone",
            Self::Full => "no space left",
            Self::Sync => "the sync failed",
        }
    }
}

/// What was done since the last sync.
#[derive(Debug, Clone)]
enum Done {
    Length(u64),
    Write(u64, Vec<u8>),
}

#[derive(Debug, Default)]
struct Inner {
    /// What survives whatever happens.
    durable: Vec<u8>,
    /// What is read.
    seen: Vec<u8>,
    cache: Vec<Done>,
    /// How many writes there were.
    writes: u64,
    /// After how many further operations what happens.
    fault: Option<(u64, Fault)>,
}

/// The disk; clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

fn put(bytes: &mut Vec<u8>, done: &Done) {
    match done {
        Done::Length(length) => bytes.resize(at(*length), 0),
        Done::Write(offset, data) => {
            let end = at(*offset) + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at(*offset)..end].copy_from_slice(data);
        }
    }
}

impl Disk {
    pub(crate) fn fail_after(&self, operations: u64, fault: Fault) {
        self.0.lock().unwrap().fault = Some((operations, fault));
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> u64 {
        self.0.lock().unwrap().writes
    }

    pub(crate) fn repair(&self) {
        self.0.lock().unwrap().fault = None;
    }

    /// What is on the disk when the power is back: all that was synced, and of the rest any part,
    /// some of it torn.
    pub(crate) fn after_the_cut(&self, random: &mut Random) -> Self {
        let inner = self.0.lock().unwrap();
        let mut bytes = inner.durable.clone();
        for done in &inner.cache {
            match (random.below(3), done) {
                (0, _) => {}
                (1, Done::Write(offset, data)) => {
                    let torn = at(random.below(data.len() as u64 + 1));
                    put(&mut bytes, &Done::Write(*offset, data[..torn].to_vec()));
                }
                (_, done) => put(&mut bytes, done),
            }
        }
        Self(Arc::new(Mutex::new(Inner {
            seen: bytes.clone(),
            durable: bytes,
            ..Inner::default()
        })))
    }
}

impl Inner {
    /// Whether an operation of a sort meets the fault.
    fn meets(&mut self, faults: &[Fault]) -> io::Result<()> {
        let Some((left, fault)) = &mut self.fault else {
            return Ok(());
        };
        if *left > 0 {
            *left -= 1;
            return Ok(());
        }
        if faults.contains(fault) {
            return Err(io::Error::other(fault.message()));
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().unwrap().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let inner = self.0.lock().unwrap();
        let end = at(offset) + out.len();
        let bytes = inner.seen.get(at(offset)..end);
        let bytes = bytes.ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut inner = self.0.lock().unwrap();
        inner.meets(&[Fault::Cut, Fault::Full])?;
        inner.seen.resize(at(len), 0);
        inner.cache.push(Done::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut inner = self.0.lock().unwrap();
        inner.meets(&[Fault::Cut, Fault::Sync])?;
        let Inner { durable, cache, .. } = &mut *inner;
        cache.drain(..).for_each(|done| put(durable, &done));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut inner = self.0.lock().unwrap();
        inner.meets(&[Fault::Cut, Fault::Full])?;
        let done = Done::Write(offset, data.to_vec());
        put(&mut inner.seen, &done);
        inner.cache.push(done);
        inner.writes += 1;
        Ok(())
    }
}
