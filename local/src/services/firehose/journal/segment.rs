//! A segment: one append-only file of a journal, made of checksummed frames.
//!
//! A file starts with [`MAGIC`]; a frame is the length of its payload and the payload's CRC-32,
//! both little-endian 32-bit numbers, then the payload, whose first byte says what it holds.

use super::Sequences;
use std::path::{Path, PathBuf};

/// The first bytes of every segment: what it is, and the version of its format.
pub const MAGIC: &[u8; 8] = b"MYSFJRN1";

/// A frame's length and checksum.
pub const FRAME_HEADER: usize = 8;

/// A record's payload before its data: kind, sequence number, arrival.
pub const RECORD_HEADER: usize = 1 + 8 + 8;

/// No payload is longer: a record has at most 1,000 KiB, and the longest list of delivered
/// ranges is cut into frames of less than that.
const MAX_PAYLOAD: usize = 1024 * 1024;

/// How many ranges one frame of delivered records holds.
const RANGES_PER_FRAME: usize = 4096;

const RECORD: u8 = 1;
const DELIVERED: u8 = 2;

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// An accepted record: where its data starts in the file, and how long it is.
    Record {
        sequence: u64,
        arrival: i64,
        offset: u64,
        length: u32,
    },
    /// Records that need no delivery any more.
    Delivered(Sequences),
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scan {
    pub frames: Vec<Frame>,
    /// Where the intact part of the file ends.
    pub intact: u64,
    /// How many bytes behind it are no frames.
    pub broken: u64,
}

/// Appends a record's frame to `buffer`. Gives where its data starts in the buffer.
pub fn encode_record(buffer: &mut Vec<u8>, sequence: u64, arrival: i64, data: &[u8]) -> usize {
    let start = begin_frame(buffer);
    buffer.push(RECORD);
    buffer.extend_from_slice(&sequence.to_le_bytes());
    buffer.extend_from_slice(&arrival.to_le_bytes());
    let data_start = buffer.len();
    buffer.extend_from_slice(data);
    end_frame(buffer, start);
    data_start
}

/// Appends the frames that mark `sequences` as delivered.
pub fn encode_delivered(buffer: &mut Vec<u8>, sequences: &Sequences) {
    for ranges in sequences.ranges().chunks(RANGES_PER_FRAME) {
        let start = begin_frame(buffer);
        buffer.push(DELIVERED);
        for (first, last) in ranges {
            buffer.extend_from_slice(&first.to_le_bytes());
            buffer.extend_from_slice(&last.to_le_bytes());
        }
        end_frame(buffer, start);
    }
}

fn begin_frame(buffer: &mut Vec<u8>) -> usize {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; FRAME_HEADER]);
    start
}

fn end_frame(buffer: &mut [u8], start: usize) {
    let payload = &buffer[start + FRAME_HEADER..];
    // Payloads are bounded by MAX_PAYLOAD, far below 4 GiB.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let checksum = crc32fast::hash(payload);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + 8].copy_from_slice(&checksum.to_le_bytes());
}

/// Reads all frames of a segment's bytes, up to the first one that is not intact. `None` when
/// the file is no segment of this format.
pub fn scan(bytes: &[u8]) -> Option<Scan> {
    if !bytes.starts_with(MAGIC) {
        // A crash while the file was being created leaves a part of the magic.
        return MAGIC.starts_with(bytes).then(|| Scan {
            broken: bytes.len() as u64,
            ..Scan::default()
        });
    }
    let mut scan = Scan::default();
    let mut position = MAGIC.len();
    while let Some((frame, length)) = next_frame(bytes, position) {
        scan.frames.push(frame);
        position += length;
    }
    scan.intact = position as u64;
    scan.broken = (bytes.len() - position) as u64;
    Some(scan)
}

fn next_frame(bytes: &[u8], position: usize) -> Option<(Frame, usize)> {
    let header = bytes.get(position..position + FRAME_HEADER)?;
    let (length, checksum) = header.split_at(4);
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    if length == 0 || length > MAX_PAYLOAD {
        return None;
    }
    let start = position + FRAME_HEADER;
    let payload = bytes.get(start..start + length)?;
    if crc32fast::hash(payload) != u32::from_le_bytes(checksum.try_into().ok()?) {
        return None;
    }
    let frame = match *payload.first()? {
        RECORD => Frame::Record {
            sequence: u64::from_le_bytes(payload.get(1..9)?.try_into().ok()?),
            arrival: i64::from_le_bytes(payload.get(9..17)?.try_into().ok()?),
            offset: (start + RECORD_HEADER) as u64,
            length: u32::try_from(length - RECORD_HEADER).ok()?,
        },
        DELIVERED => {
            let mut sequences = Sequences::default();
            for range in payload[1..].chunks_exact(16) {
                let (first, last) = range.split_at(8);
                sequences.insert_range(
                    u64::from_le_bytes(first.try_into().ok()?),
                    u64::from_le_bytes(last.try_into().ok()?),
                );
            }
            Frame::Delivered(sequences)
        }
        _ => return None,
    };
    Some((frame, FRAME_HEADER + length))
}

/// The file of the segment whose first record has this sequence number.
pub fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.journal"))
}

/// The sequence number in a segment's file name.
pub fn first_sequence(path: &Path) -> Option<u64> {
    path.file_name()?
        .to_str()?
        .strip_suffix(".journal")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = MAGIC.to_vec();
        let mut ends = vec![bytes.len()];
        for (sequence, data) in [(1, "one"), (2, ""), (3, "three")] {
            encode_record(&mut bytes, sequence, 1000, data.as_bytes());
            ends.push(bytes.len());
        }
        let mut delivered = Sequences::default();
        delivered.insert_range(1, 2);
        encode_delivered(&mut bytes, &delivered);
        ends.push(bytes.len());
        (bytes, ends)
    }

    fn intact_frames(bytes: &[u8]) -> usize {
        scan(bytes).map_or(0, |scan| scan.frames.len())
    }

    #[test]
    fn frames_come_back_as_they_were_written() {
        let (bytes, _) = segment();
        let scan = scan(&bytes).unwrap_or_default();
        assert_eq!(scan.broken, 0);
        let data: Vec<_> = scan
            .frames
            .iter()
            .filter_map(|frame| match frame {
                Frame::Record { offset, length, .. } => {
                    let start = *offset as usize;
                    Some(&bytes[start..start + *length as usize])
                }
                Frame::Delivered(_) => None,
            })
            .collect();
        assert_eq!(data, [b"one".as_slice(), b"", b"three"]);
        assert!(
            matches!(&scan.frames[3], Frame::Delivered(sequences) if sequences.ranges() == [(1, 2)])
        );
    }

    #[test]
    fn a_file_cut_anywhere_keeps_exactly_the_whole_frames_before_the_cut() {
        let (bytes, ends) = segment();
        for length in 0..=bytes.len() {
            let whole = ends[1..].iter().filter(|end| **end <= length).count();
            assert_eq!(intact_frames(&bytes[..length]), whole, "cut at {length}");
        }
    }

    #[test]
    fn a_changed_byte_anywhere_ends_the_intact_part_before_its_frame() {
        let (bytes, ends) = segment();
        for position in MAGIC.len()..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 0x40;
            let whole = ends[1..].iter().filter(|end| **end <= position).count();
            assert_eq!(intact_frames(&changed), whole, "changed at {position}");
        }
    }

    #[test]
    fn zeros_behind_the_frames_are_no_frames() {
        let (mut bytes, _) = segment();
        let intact = bytes.len() as u64;
        bytes.extend([0; 4096]);
        let scan = scan(&bytes).unwrap_or_default();
        assert_eq!((scan.intact, scan.broken), (intact, 4096));
    }

    #[test]
    fn another_format_is_recognised_as_such() {
        assert!(scan(b"MYSFJRN2 and so on").is_none());
        assert!(scan(b"MYS").is_some());
    }
}
