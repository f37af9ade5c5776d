//! The id that tells a click from all others, also when it is delivered twice.

use uuid::Uuid;

/// A UUID: the one that the page made when the profile was opened, or else one derived from the
/// id of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClickId(Uuid);

impl ClickId {
    pub const LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    /// The hyphenated form alone, in lower or upper case, as the API's model has it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::LEN {
            return None;
        }
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The id of a click that has none.
    ///
    /// It is assumed that a batch which Firehose sends to the function once more has the same
    /// recordIds: no page of AWS says so. A click without an id that the browser or the API sends
    /// twice is two records to Firehose, and cannot be known as one.
    pub fn of_record(record_id: &str) -> Self {
        // FNV-1a with 128 bits: the same in every version of this program, and nobody
        // but Firehose chooses what goes in.
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let hash = record_id.bytes().fold(OFFSET, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(PRIME)
        });
        // Version 8: a UUID made by a rule of one's own (RFC 9562).
        let bytes = hash.to_be_bytes();
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// In lower case.
    pub fn push(self, out: &mut Vec<u8>) {
        let mut buffer = [0; Self::LEN];
        out.extend_from_slice(self.0.hyphenated().encode_lower(&mut buffer).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: ClickId) -> String {
        let mut out = Vec::new();
        id.push(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn a_record_has_one_id_and_another_record_another() {
        let one = ClickId::of_record("49659063947581349500");
        assert_eq!(one, ClickId::of_record("49659063947581349500"));
        assert_ne!(one, ClickId::of_record("49659063947581349501"));
        // Known, so that no version of this program says otherwise.
        assert_eq!(
            text(ClickId::of_record("")),
            "6c62272e-07bb-8142-a2b8-21756295c58d"
        );
    }

    #[test]
    fn an_id_is_a_hyphenated_uuid() {
        let id = "B41FF031-141E-4A8D-BB56-158A22BEA0B3";
        assert_eq!(ClickId::parse(id).map(text), Some(id.to_lowercase()));
        for refused in [
            "",
            "b41ff031141e4a8dbb56158a22bea0b3",
            "{b41ff031-141e-4a8d-bb56-158a22bea0b}",
        ] {
            assert_eq!(ClickId::parse(refused), None, "{refused}");
        }
    }
}
