//! Files of bodies, sealed: after the body come checksums of its blocks, so that a byte that
//! was damaged is noticed before it is served, whatever part of the body is asked for.
//!
//! The seal is the CRC-32 of every block of [`BLOCK`] bytes, the length of the body as a 64-bit
//! number, and the CRC-32 of all that, little-endian. A file without one, of an older version,
//! is served as it is.

use bytes::{Bytes, BytesMut};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How much of a body has a checksum of its own.
pub(crate) const BLOCK: u64 = 64 * 1024;

/// Length and checksum after those of the blocks.
const FOOTER: u64 = 8 + 4;

/// Makes the seal of a body that is being written.
#[derive(Debug, Default)]
pub(crate) struct Sealer {
    seal: Vec<u8>,
    block: crc32fast::Hasher,
    size: u64,
}

impl Sealer {
    /// More of the body.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(BLOCK - self.size % BLOCK).unwrap_or(usize::MAX);
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.block.update(now);
            self.size += now.len() as u64;
            if self.size.is_multiple_of(BLOCK) {
                self.end_block();
            }
            bytes = rest;
        }
    }

    /// What is written after the body.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if !self.size.is_multiple_of(BLOCK) {
            self.end_block();
        }
        self.seal.extend_from_slice(&self.size.to_le_bytes());
        let checksum = crc32fast::hash(&self.seal);
        self.seal.extend_from_slice(&checksum.to_le_bytes());
        self.seal
    }

    fn end_block(&mut self) {
        let checksum = std::mem::take(&mut self.block).finalize();
        self.seal.extend_from_slice(&checksum.to_le_bytes());
    }
}

/// A section of a body, open to be read. All its calls wait for the disk.
pub(crate) struct Section {
    path: PathBuf,
    file: File,
    /// How many bytes the whole body has.
    size: u64,
    /// The block that comes next.
    block: u64,
    /// How many bytes of it are before the section.
    skip: u64,
    /// How many bytes of the section are left.
    left: u64,
    is_sealed: bool,
}

impl Section {
    /// Opens `length` bytes from `from` on of a body that has `size` bytes.
    pub(crate) fn open(path: PathBuf, size: u64, from: u64, length: u64) -> io::Result<Self> {
        let file = File::open(&path)?;
        Ok(Self {
            is_sealed: file.metadata()?.len() == sealed_length(size),
            path,
            file,
            size,
            block: from / BLOCK,
            skip: from % BLOCK,
            left: length,
        })
    }

    /// The next bytes; none at the end. Damaged ones are an error of the kind `InvalidData`.
    pub(crate) fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let start = self.block * BLOCK;
        let length = BLOCK.min(self.size.saturating_sub(start));
        let mut bytes = BytesMut::zeroed(usize::try_from(length).unwrap_or_default());
        self.file.read_exact_at(&mut bytes, start)?;
        if self.is_sealed && !self.is_intact(&bytes)? {
            let path = self.path.display();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("block {} of {path} is damaged", self.block),
            ));
        }
        let mut bytes = bytes.freeze();
        let skip = usize::try_from(self.skip)
            .unwrap_or_default()
            .min(bytes.len());
        bytes = bytes.slice(skip..);
        bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= bytes.len() as u64;
        self.block += 1;
        self.skip = 0;
        match bytes.is_empty() {
            true => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Ok(Some(bytes)),
        }
    }

    /// The file that is read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn is_intact(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut checksum = [0; 4];
        let place = self.size + 4 * self.block;
        self.file.read_exact_at(&mut checksum, place)?;
        if u32::from_le_bytes(checksum) == crc32fast::hash(bytes) {
            return Ok(true);
        }
        // It may be the seal that is damaged, and not the body.
        let length = sealed_length(self.size) - self.size;
        let mut seal = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact_at(&mut seal, self.size)?;
        Ok(!is_seal(&seal, self.size))
    }
}

/// What is damaged in a file, if anything is. Blocks for as long as it takes to read all of it.
pub(crate) fn check(path: &Path) -> io::Result<Option<String>> {
    use std::io::Read;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // The length of the body follows from that of the file; in a file of an older version there
    // is something else at its end.
    let Some(size) = body_length(length) else {
        return Ok(None);
    };
    let mut seal = vec![0; usize::try_from(length - size).unwrap_or_default()];
    file.read_exact_at(&mut seal, size)?;
    let seal_is_intact = is_seal(&seal, size);
    let mut damaged = Vec::new();
    let mut body = io::Read::by_ref(&mut file).take(size);
    let mut block = Vec::new();
    for (number, expected) in seal.chunks_exact(4).enumerate() {
        block.clear();
        io::Read::by_ref(&mut body)
            .take(BLOCK)
            .read_to_end(&mut block)?;
        if block.is_empty() {
            break;
        }
        if crc32fast::hash(&block).to_le_bytes() != *expected {
            damaged.push(number);
        }
    }
    Ok(match (seal_is_intact, damaged.as_slice()) {
        (true, []) => None,
        (true, blocks) => Some(format!(
            "the body of an object is damaged, in blocks {blocks:?} of {BLOCK} bytes; requests \
             for them fail. Write the object again, or delete it"
        )),
        // The seal is what is damaged.
        (false, blocks) if blocks.is_empty() || claims(&seal, size) => {
            Some("the checksums of an object's body are damaged; the body is served".into())
        }
        // A file without a seal.
        (false, _) => None,
    })
}

fn is_seal(seal: &[u8], size: u64) -> bool {
    let Some((sealed, checksum)) = seal.split_last_chunk::<4>() else {
        return false;
    };
    crc32fast::hash(sealed).to_le_bytes() == *checksum && claims(seal, size)
}

/// Whether the length in a seal is that of the body.
fn claims(seal: &[u8], size: u64) -> bool {
    let sealed = seal.split_last_chunk::<4>();
    sealed.is_some_and(|(sealed, _)| sealed.ends_with(&size.to_le_bytes()))
}

fn sealed_length(size: u64) -> u64 {
    size + 4 * size.div_ceil(BLOCK) + FOOTER
}

/// The length of the body in a sealed file of this length.
fn body_length(file: u64) -> Option<u64> {
    let rest = file.checked_sub(FOOTER)?;
    let blocks = rest.div_ceil(BLOCK + 4);
    let size = rest.checked_sub(4 * blocks)?;
    (sealed_length(size) == file).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Result, ensure};

    #[test]
    fn a_damaged_byte_is_noticed_wherever_it_is_and_the_rest_is_served() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("body");
        let size = 2 * BLOCK + 1000;
        let body: Vec<u8> = (0..size).map(|at| (at * 7 % 251) as u8).collect();
        let mut sealer = Sealer::default();
        body.chunks(777).for_each(|chunk| sealer.update(chunk));
        let file = [body.clone(), sealer.finish()].concat();
        ensure!(file.len() as u64 == sealed_length(size));
        ensure!(body_length(file.len() as u64) == Some(size));

        fn read(path: &Path, size: u64, from: u64, length: u64) -> io::Result<Vec<u8>> {
            let mut section = Section::open(path.to_owned(), size, from, length)?;
            let mut all = Vec::new();
            while let Some(bytes) = section.next()? {
                all.extend_from_slice(&bytes);
            }
            Ok(all)
        }
        std::fs::write(&path, &file)?;
        ensure!(check(&path)?.is_none());
        for (from, length) in [(0, size), (BLOCK - 5, 10), (2 * BLOCK, 1000), (7, BLOCK)] {
            let expected = &body[from as usize..(from + length) as usize];
            ensure!(read(&path, size, from, length)? == expected, "{from}");
        }
        for at in [
            0,
            70_000,
            size as usize - 1,
            size as usize + 1,
            file.len() - 1,
            file.len() - 9,
        ] {
            let mut bytes = file.clone();
            bytes[at] ^= 4;
            std::fs::write(&path, &bytes)?;
            ensure!(check(&path)?.is_some(), "{at}");
            let in_body = (at as u64) < size;
            let all = read(&path, size, 0, size);
            ensure!(all.is_err() == in_body, "{at}");
            let block = at as u64 / BLOCK;
            let other = (block + 1) % 3 * BLOCK;
            ensure!(read(&path, size, other, 10)?.len() == 10, "{at}");
        }
        // As older versions wrote it.
        std::fs::write(&path, &body)?;
        ensure!(read(&path, size, 0, size)? == body);
        ensure!(check(&path)?.is_none());
        Ok(())
    }
}
