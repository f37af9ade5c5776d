//! A segment: one append-only file of a journal, made of checksummed frames.
//!
//! A file starts with [`MAGIC`]; a frame is the length of its payload and the payload's CRC-32,
//! both little-endian 32-bit numbers, then the payload, whose first byte says what it holds.

mod damage;

use super::Sequences;
use damage::{Next, after_damage};
use std::path::{Path, PathBuf};

/// The first bytes of every segment: what it is, and the version of its format.
pub(crate) const MAGIC: &[u8; 8] = b"MYSFJRN1";

/// A frame's length and checksum.
pub(crate) const FRAME_HEADER: usize = 8;

/// A record's payload before its data: kind, sequence number, arrival.
pub(crate) const RECORD_HEADER: usize = 1 + 8 + 8;

/// No payload is longer: a record has at most 1,000 KiB, and the longest list of delivered
/// ranges is cut into frames of less than that.
const MAX_PAYLOAD: usize = 1024 * 1024;

/// How many ranges one frame of delivered records holds.
const RANGES_PER_FRAME: usize = 4096;

const RECORD: u8 = 1;
const DELIVERED: u8 = 2;

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
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
pub(crate) struct Scan {
    pub frames: Vec<Frame>,
    /// Where the last intact frame ends.
    pub intact: u64,
    /// How many bytes after it are a frame that was not written to its end.
    pub broken: u64,
    pub damaged: Vec<Damaged>,
}

/// Bytes that are not as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damaged {
    /// Where they are in the file.
    pub at: u64,
    pub length: u64,
    /// The numbers of the records before and after them, in the same file.
    pub between: (Option<u64>, Option<u64>),
    /// Whether their content could be restored.
    pub repaired: bool,
}

/// Appends a record's frame to `buffer`. Gives where its data starts in the buffer.
pub(crate) fn encode_record(
    buffer: &mut Vec<u8>,
    sequence: u64,
    arrival: i64,
    data: &[u8],
) -> usize {
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
pub(crate) fn encode_delivered(buffer: &mut Vec<u8>, sequences: &Sequences) {
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

/// Reads all intact frames of a segment's bytes, those after damaged ones too. `None` when the
/// file is no segment of this format. `first` is the number of its first record: those with a
/// lower one were moved here from older segments.
pub(crate) fn scan(bytes: &[u8], first: u64) -> Option<Scan> {
    if bytes.starts_with(MAGIC) {
        return Some(scan_frames(bytes, first));
    }
    // A crash while the file was being created leaves a part of the magic.
    if MAGIC.starts_with(bytes) {
        return Some(Scan {
            broken: bytes.len() as u64,
            ..Scan::default()
        });
    }
    // Frames after other first bytes: it was those that were damaged.
    let mut scan = scan_frames(bytes, first);
    let after = scan.frames.iter().find_map(|frame| frame.number(first));
    scan.damaged.insert(
        0,
        Damaged {
            at: 0,
            length: MAGIC.len() as u64,
            between: (None, after),
            repaired: true,
        },
    );
    (!scan.frames.is_empty()).then_some(scan)
}

/// Whether a file that is no segment of this format may be one of another version.
pub(crate) fn is_of_another_version(bytes: &[u8]) -> bool {
    let (name, version) = MAGIC.split_at(MAGIC.len() - 1);
    let other = bytes.strip_prefix(name).and_then(<[u8]>::first);
    // A file that holds nothing but its first bytes holds nothing that could be misread.
    bytes.len() > MAGIC.len() && other.is_some_and(|byte| [*byte] != version)
}

fn scan_frames(bytes: &[u8], first: u64) -> Scan {
    let mut scan = Scan::default();
    let mut position = MAGIC.len();
    while position < bytes.len() {
        if let Some((frame, length)) = next_frame(bytes, position) {
            scan.add(frame, first);
            position += length;
            continue;
        }
        let (end, repaired) = match after_damage(bytes, position) {
            Next::Frame(end) => (end, None),
            Next::Repaired(end) => (end, frame_of(bytes, position, end - position)),
            Next::Torn => {
                scan.broken = (bytes.len() - position) as u64;
                break;
            }
        };
        scan.damaged.push(Damaged {
            at: position as u64,
            length: (end - position) as u64,
            between: (
                scan.frames
                    .iter()
                    .rev()
                    .find_map(|frame| frame.number(first)),
                None,
            ),
            repaired: repaired.is_some(),
        });
        if let Some(frame) = repaired {
            scan.add(frame, first);
        }
        position = end;
    }
    scan.intact = position.min(bytes.len()) as u64;
    scan
}

impl Scan {
    fn add(&mut self, frame: Frame, first: u64) {
        if let Some(sequence) = frame.number(first) {
            for damaged in self.damaged.iter_mut().rev() {
                if damaged.between.1.is_some() {
                    break;
                }
                damaged.between.1 = Some(sequence);
            }
        }
        self.frames.push(frame);
    }
}

impl Frame {
    /// The number of a record that was accepted into a segment with this first number.
    fn number(&self, first: u64) -> Option<u64> {
        match self {
            Self::Record { sequence, .. } => Some(*sequence).filter(|number| *number >= first),
            Self::Delivered(_) => None,
        }
    }
}

fn header(bytes: &[u8], position: usize) -> Option<(usize, u32)> {
    let header = bytes.get(position..position + FRAME_HEADER)?;
    let (length, checksum) = header.split_at(4);
    Some((
        u32::from_le_bytes(length.try_into().ok()?) as usize,
        u32::from_le_bytes(checksum.try_into().ok()?),
    ))
}

fn is_frame(bytes: &[u8], position: usize) -> bool {
    // Most places are ruled out by the kind, before anything is added up.
    bytes
        .get(position + FRAME_HEADER)
        .is_some_and(|kind| [RECORD, DELIVERED].contains(kind))
        && next_frame(bytes, position).is_some()
}

fn next_frame(bytes: &[u8], position: usize) -> Option<(Frame, usize)> {
    let (length, checksum) = header(bytes, position)?;
    if length == 0 || length > MAX_PAYLOAD {
        return None;
    }
    let start = position + FRAME_HEADER;
    if crc32fast::hash(bytes.get(start..start + length)?) != checksum {
        return None;
    }
    let whole = FRAME_HEADER + length;
    Some((frame_of(bytes, position, whole)?, whole))
}

/// The frame that takes the bytes at `position`, whatever its header says.
fn frame_of(bytes: &[u8], position: usize, whole: usize) -> Option<Frame> {
    let start = position + FRAME_HEADER;
    let payload = bytes.get(start..position + whole)?;
    match *payload.first()? {
        RECORD => Some(Frame::Record {
            sequence: u64::from_le_bytes(payload.get(1..9)?.try_into().ok()?),
            arrival: i64::from_le_bytes(payload.get(9..17)?.try_into().ok()?),
            offset: (start + RECORD_HEADER) as u64,
            length: u32::try_from(payload.len() - RECORD_HEADER).ok()?,
        }),
        DELIVERED => {
            let mut sequences = Sequences::default();
            for range in payload[1..].chunks_exact(16) {
                let (first, last) = range.split_at(8);
                sequences.insert_range(
                    u64::from_le_bytes(first.try_into().ok()?),
                    u64::from_le_bytes(last.try_into().ok()?),
                );
            }
            Some(Frame::Delivered(sequences))
        }
        _ => None,
    }
}

/// The data of a record whose frame was read from its checksum on; none when it is not intact.
pub(crate) fn checked_data(frame: &[u8]) -> Option<&[u8]> {
    let (checksum, payload) = frame.split_first_chunk::<4>()?;
    (crc32fast::hash(payload) == u32::from_le_bytes(*checksum))
        .then(|| payload.get(RECORD_HEADER..))
        .flatten()
}

/// The file of the segment whose first record has this sequence number.
pub(crate) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.journal"))
}

/// The sequence number in a segment's file name.
pub(crate) fn first_sequence(path: &Path) -> Option<u64> {
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
        scan(bytes, 1).map_or(0, |scan| scan.frames.len())
    }

    #[test]
    fn frames_come_back_as_they_were_written() {
        let (bytes, _) = segment();
        let scan = scan(&bytes, 1).unwrap_or_default();
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
    fn a_changed_byte_anywhere_costs_its_own_frame_at_most() {
        let (bytes, ends) = segment();
        let whole = scan(&bytes, 1).unwrap_or_default().frames;
        for position in 0..bytes.len() {
            for turned in [0x40, 0x01, 0xff] {
                let mut changed = bytes.clone();
                changed[position] ^= turned;
                let scan = scan(&changed, 1).unwrap_or_default();
                let damaged = ends[1..].iter().position(|end| position < *end);
                let place = ends[damaged.unwrap_or_default()];
                // A damaged length, or a damaged first byte of the file, is made up for.
                let repaired = position < ends[0] || (place..place + 4).contains(&position);
                let mut expected = ends.len() - 1;
                if !repaired {
                    expected -= 1;
                }
                let at = format!("changed at {position} by {turned}");
                assert_eq!(scan.frames.len(), expected, "{at}");
                assert_eq!(scan.broken, 0, "{at}");
                assert_eq!(scan.damaged.len(), 1, "{at}");
                assert_eq!(scan.damaged[0].repaired, repaired, "{at}");
                let intact = whole.iter().filter(|frame| scan.frames.contains(frame));
                assert_eq!(intact.count(), expected, "{at}");
            }
        }
    }

    #[test]
    fn what_looks_like_a_frame_in_a_damaged_record_is_not_taken_for_one() {
        let mut inner = Vec::new();
        encode_record(&mut inner, 77, 1000, b"inner");
        let mut bytes = MAGIC.to_vec();
        encode_record(&mut bytes, 1, 1000, &[b"data ", inner.as_slice()].concat());
        encode_record(&mut bytes, 2, 1000, b"next");
        for position in MAGIC.len()..MAGIC.len() + FRAME_HEADER {
            let mut changed = bytes.clone();
            changed[position] ^= 0x02;
            let scan = scan(&changed, 1).unwrap_or_default();
            let sequences: Vec<_> = scan
                .frames
                .iter()
                .filter_map(|frame| frame.number(1))
                .collect();
            assert!(!sequences.contains(&77), "{position}");
            assert!(sequences.contains(&2), "{position}");
        }
    }

    #[test]
    fn a_damaged_length_costs_nothing_whatever_comes_after() {
        let mut bytes = MAGIC.to_vec();
        let mut ends = Vec::new();
        for sequence in 1..=4 {
            encode_record(&mut bytes, sequence, 1000, b"all of one length");
            ends.push(bytes.len());
        }
        let length = (ends[0] - MAGIC.len() - FRAME_HEADER) as u8;
        let two = length + (ends[1] - ends[0]) as u8;
        // The second seems to end where the third does, or after the end of the file.
        for (claimed, cut) in [(two, 0), (two, 10), (255, 0), (255, 10)] {
            for damaged in [0, 1, 2] {
                let mut changed = bytes.clone();
                let before = if damaged == 0 {
                    MAGIC.len()
                } else {
                    ends[damaged - 1]
                };
                changed[before] = claimed;
                // A last one that was not written to its end.
                changed.truncate(bytes.len() - cut);
                let scan = scan(&changed, 1).unwrap_or_default();
                let numbers = scan.frames.iter().filter_map(|frame| frame.number(1));
                let last = if cut == 0 { 4 } else { 3 };
                assert!(
                    numbers.eq(1..=last),
                    "{damaged} claims {claimed}, {cut} cut"
                );
                assert_eq!(scan.broken > 0, cut > 0);
            }
        }
    }

    #[test]
    fn zeros_after_the_frames_are_no_frames() {
        let (mut bytes, _) = segment();
        let intact = bytes.len() as u64;
        bytes.extend([0; 4096]);
        let scan = scan(&bytes, 1).unwrap_or_default();
        assert_eq!((scan.intact, scan.broken), (intact, 4096));
    }

    #[test]
    fn another_format_is_recognised_as_such() {
        assert!(scan(b"MYSFJRN2 and so on", 1).is_none());
        assert!(scan(b"MYS", 1).is_some());
    }
}
