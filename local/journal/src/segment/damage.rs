//! Where the frames of a segment go on after one that is not intact.

use super::{FRAME_HEADER, MAX_PAYLOAD, header, is_frame};

/// How a file goes on after a frame that is not intact.
pub(super) enum Next {
    /// The next frame, or the end of the file, is here.
    Frame(usize),
    /// The same, and only the damaged frame's length was wrong: up to here its checksum is right.
    Repaired(usize),
    /// Nothing: the frame was not written to its end.
    Torn,
}

/// Looks for the place where the frames go on after the damaged one at `position`.
pub(super) fn after_damage(bytes: &[u8], position: usize) -> Next {
    let Some((length, checksum)) = header(bytes, position) else {
        return Next::Torn;
    };
    let start = position + FRAME_HEADER;
    let is_possible = (1..=MAX_PAYLOAD).contains(&length);
    let claimed = start.saturating_add(length);
    // When only the length is wrong, the checksum tells where the record ends. Bytes that look like
    // a frame may be a part of its own data, and the frame at the place that the length names may
    // be a later one.
    let last = bytes.len().min(start.saturating_add(MAX_PAYLOAD));
    let mut hasher = crc32fast::Hasher::new();
    let mut hashed = start;
    let mut first = None;
    for end in start + 1..=last {
        if end < bytes.len() && !is_frame(bytes, end) {
            continue;
        }
        hasher.update(&bytes[hashed..end]);
        hashed = end;
        if hasher.clone().finalize() == checksum {
            return Next::Repaired(end);
        }
        if end < bytes.len() {
            first.get_or_insert(end);
        }
    }
    if is_possible && (claimed == bytes.len() || claimed < bytes.len() && is_frame(bytes, claimed))
    {
        return Next::Frame(claimed);
    }
    let mut further = (last + 1..bytes.len()).filter(|end| is_frame(bytes, *end));
    match first.or_else(|| further.next()) {
        Some(next) => Next::Frame(next),
        None if let Some(length) = checked_length(&bytes[start..last], checksum) => {
            Next::Repaired(start + length)
        }
        None if is_possible && claimed > bytes.len() => Next::Torn,
        // After a loss of power a file may be longer than what was written.
        None if bytes[position..].iter().all(|byte| *byte == 0) => Next::Torn,
        None => Next::Frame(bytes.len()),
    }
}

/// How many bytes have this checksum. After a record with a wrong length there may be a record that
/// was not written to its end, which does not look like a frame.
fn checked_length(bytes: &[u8], checksum: u32) -> Option<usize> {
    let mut hasher = crc32fast::Hasher::new();
    let index = bytes.iter().position(|byte| {
        hasher.update(std::slice::from_ref(byte));
        hasher.clone().finalize() == checksum
    });
    index.map(|index| index + 1)
}
