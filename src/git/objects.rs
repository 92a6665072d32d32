//! New objects on their way into the cache: one pack for all of a commit, of which nothing is there before all of it is.
//!
//! A file for each object would take most of the time that a commit of thousands takes. The pack grows on the disk and not in
//! memory, beside the cache, where nobody looks for objects; it is moved there once it is whole, its index last.
//!
//! Source: git's `Documentation/gitformat-pack`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use flate2::{Compression, Crc};
use git2::{ObjectType, Odb, OdbLookupFlags, Oid, Repository};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use tempfile::{NamedTempFile, TempDir};

use super::cache::BareCache;
use super::error::GitError;
use super::pack::{put_object, put_start};
use super::tree::in_parts;

/// Offsets in an index are so many bytes at most; a longer pack needs another kind of them.
const LONGEST_PACK: u64 = 0x7fff_ffff;
/// Where in a pack the number of its objects stands.
const COUNT_AT: u64 = 8;
/// What an index begins with: that it is one, and of which version.
const INDEX: [u8; 8] = *b"\xfftOc\0\0\0\x02";

/// Objects that are to be in a cache.
pub struct NewObjects<'c> {
    pub(super) cache: &'c BareCache,
    pub(super) repository: Repository,
    /// Made for the first object.
    pack: Option<Growing>,
    /// The objects of the pack in the order of an index: checksum and offset.
    entries: BTreeMap<Oid, (u32, u64)>,
}

/// A pack that is being written, in a folder that goes with it.
struct Growing {
    file: BufWriter<NamedTempFile>,
    length: u64,
    folder: TempDir,
}

/// An object as a pack has it.
pub(super) struct Packed {
    oid: Oid,
    /// `None`: the cache has it.
    bytes: Option<Vec<u8>>,
}

impl Packed {
    pub(super) fn new(odb: &Odb<'_>, kind: ObjectType, content: &[u8]) -> io::Result<Self> {
        let oid = id(kind, content)?;
        // What another process adds meanwhile is there twice, which is as good.
        if odb.exists_ext(oid, OdbLookupFlags::NO_REFRESH) {
            return Ok(Self { oid, bytes: None });
        }
        let mut bytes = Vec::new();
        put_object(&mut bytes, kind, content, Compression::fast())?;
        Ok(Self { oid, bytes: Some(bytes) })
    }
}

impl<'c> NewObjects<'c> {
    /// None yet.
    ///
    /// # Errors
    /// The cache cannot be opened.
    pub(super) fn none(cache: &'c BareCache) -> Result<Self, GitError> {
        Ok(Self { cache, repository: cache.existing()?, pack: None, entries: BTreeMap::new() })
    }

    /// Adds the contents of files; returns their ids in hex, in their order.
    ///
    /// # Errors
    /// The disk does not take them.
    pub fn write(&mut self, contents: &[Vec<u8>]) -> Result<Vec<String>, GitError> {
        let pack = |repository: &Repository, contents: &[Vec<u8>]| {
            let odb = repository.odb()?;
            let packed = contents.iter().map(|bytes| Packed::new(&odb, ObjectType::Blob, bytes));
            packed.collect::<io::Result<Vec<_>>>().map_err(|error| git2::Error::from_str(&error.to_string()))
        };
        let packed = {
            let _lock = self.cache.lock(false)?;
            in_parts(self.cache.dir(), contents, pack)
        };
        let packed = packed.map_err(|error| self.cache.failed("write", &error.message()))?;
        packed.into_iter().map(|packed| Ok(self.add(packed)?.to_string())).collect()
    }

    /// Adds one object.
    pub(super) fn put(&mut self, kind: ObjectType, content: &[u8]) -> Result<Oid, GitError> {
        let packed = {
            let odb = self.repository.odb();
            let odb = odb.map_err(|error| self.cache.failed("write", &error.message()))?;
            Packed::new(&odb, kind, content).map_err(|error| self.cache.failed("write", &error))?
        };
        self.add(packed)
    }

    /// Whether the cache has the object, or will have.
    pub(super) fn has(&self, oid: Oid) -> bool {
        self.entries.contains_key(&oid) || self.repository.odb().is_ok_and(|odb| odb.exists(oid))
    }

    fn add(&mut self, Packed { oid, bytes }: Packed) -> Result<Oid, GitError> {
        if let Some(bytes) = bytes.filter(|_| !self.entries.contains_key(&oid)) {
            let added = self.append(oid, &bytes);
            added.map_err(|error| self.cache.failed("write", &error))?;
        }
        Ok(oid)
    }

    fn append(&mut self, oid: Oid, bytes: &[u8]) -> io::Result<()> {
        let pack = match &mut self.pack {
            Some(pack) => pack,
            None => self.pack.insert(Growing::new(self.cache.aside()?)?),
        };
        let mut sum = Crc::new();
        sum.update(bytes);
        self.entries.insert(oid, (sum.sum(), pack.length));
        pack.put(bytes)
    }

    /// Leaves them in the cache.
    pub(super) fn store(self) -> Result<(), GitError> {
        let Some(pack) = self.pack else { return Ok(()) };
        let stored = pack.finish(&self.entries).and_then(|(folder, name)| {
            let [pack, index] = ["pack", "idx"].map(|ending| format!("{name}.{ending}"));
            let to = self.cache.dir().join("objects/pack");
            fs::create_dir_all(&to)?;
            fs::rename(folder.path().join(&pack), to.join(&pack))?;
            fs::rename(folder.path().join(&index), to.join(&index))
        });
        stored.map_err(|error| self.cache.failed("write", &error))
    }
}

impl Growing {
    fn new(folder: TempDir) -> io::Result<Self> {
        let file = BufWriter::new(NamedTempFile::new_in(folder.path())?);
        let mut pack = Self { file, length: 0, folder };
        // How many they are is not known yet.
        pack.put(&put_start(0))?;
        Ok(pack)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if self.length > LONGEST_PACK {
            return Err(io::Error::other("a commit of more than 2 GiB is too large"));
        }
        self.file.write_all(bytes)
    }

    /// Ends the pack and writes its index; both lie in the folder, under the name that is returned, and are the owner's alone.
    fn finish(self, entries: &BTreeMap<Oid, (u32, u64)>) -> io::Result<(TempDir, String)> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(COUNT_AT))?;
        file.write_all(&u32::try_from(entries.len()).map_err(io::Error::other)?.to_be_bytes())?;
        file.rewind()?;
        let sum = sum_of(file.as_file_mut())?;
        file.write_all(&sum)?;
        let name = format!("pack-{}", Oid::from_bytes(&sum).map_err(io::Error::other)?);
        let at = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        write_index(&at("idx"), entries, &sum)?;
        file.persist(at("pack")).map_err(|error| error.error)?;
        Ok((self.folder, name))
    }
}

/// The checksum of all that is in the file from where it stands, which is at its end afterwards.
fn sum_of(file: &mut File) -> io::Result<Vec<u8>> {
    let mut sum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sum.finish().as_ref().to_vec()),
            count => sum.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// How many objects begin with a byte up to each; their ids; their checksums; where they stand; the pack's checksum, and that of
/// all of it.
fn write_index(path: &Path, entries: &BTreeMap<Oid, (u32, u64)>, pack: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(1_100 + entries.len() * 28);
    bytes.extend_from_slice(&INDEX);
    let mut counts = [0_u32; 256];
    for first in entries.keys().filter_map(|oid| oid.as_bytes().first()) {
        counts.iter_mut().skip(usize::from(*first)).for_each(|count| *count += 1);
    }
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    bytes.extend(entries.keys().flat_map(Oid::as_bytes));
    bytes.extend(entries.values().flat_map(|(sum, _)| sum.to_be_bytes()));
    for (_, offset) in entries.values() {
        bytes.extend(u32::try_from(*offset).map_err(io::Error::other)?.to_be_bytes());
    }
    bytes.extend_from_slice(pack);
    let mut sum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    sum.update(&bytes);
    bytes.extend_from_slice(sum.finish().as_ref());
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(&bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The id of an object.
fn id(kind: ObjectType, content: &[u8]) -> io::Result<Oid> {
    let mut sum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    sum.update(format!("{} {}\0", kind.str(), content.len()).as_bytes());
    sum.update(content);
    Oid::from_bytes(sum.finish().as_ref()).map_err(io::Error::other)
}
