//! The enriched record: one line of JSON with its fields in the order of the design.
//! Nothing here does I/O.

use time::OffsetDateTime;

use crate::click::Click;
use crate::click_id::ClickId;
use crate::json;
use crate::mysfit::Mysfit;

/// When a record arrived at Firehose, from 1970 to 9999: what RFC 3339 can say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival(OffsetDateTime);

impl Arrival {
    const LEN: usize = "2026-01-31T23:59:59.999Z".len();

    pub fn from_millis(milliseconds: i64) -> Option<Self> {
        if milliseconds < 0 {
            return None;
        }
        let nanoseconds = i128::from(milliseconds) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
            .ok()
            .map(Self)
    }

    /// RFC 3339 in UTC, always with three digits of a second, so that texts sort as times.
    fn push(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.0.to_calendar_date();
        let (hour, minute, second, millisecond) = self.0.to_hms_milli();
        push_digits(out, year.unsigned_abs(), 1000);
        out.push(b'-');
        push_digits(out, u8::from(month).into(), 10);
        out.push(b'-');
        push_digits(out, day.into(), 10);
        out.push(b'T');
        push_digits(out, hour.into(), 10);
        out.push(b':');
        push_digits(out, minute.into(), 10);
        out.push(b':');
        push_digits(out, second.into(), 10);
        out.push(b'.');
        push_digits(out, millisecond.into(), 100);
        out.push(b'Z');
    }
}

fn push_digits(out: &mut Vec<u8>, number: u32, highest: u32) {
    let mut place = highest;
    while place > 0 {
        // A digit: below ten whatever the number.
        out.push(b'0' + (number / place % 10) as u8);
        place /= 10;
    }
}

/// How much longer than its click a line can be: what is added, with attributes of the
/// greatest length, to a click that has no id. The click's own part never grows, since a JSON
/// string has no shorter form than the one that `json::push_string` writes, and an id has the
/// same length.
pub const MAX_GROWTH: usize = ",".len()
    + Mysfit::MAX_FRAGMENT
    + r#","clickedAt":"""#.len()
    + Arrival::LEN
    + r#","clickId":"""#.len()
    + ClickId::LEN
    + "\n".len();

/// Appends the line, with the newline that Firehose does not add. `id` is the click's own, or the
/// one that it gets.
pub fn push_line(out: &mut Vec<u8>, click: &Click, mysfit: &Mysfit, arrival: Arrival, id: ClickId) {
    out.extend_from_slice(br#"{"userId":"#);
    json::push_string(out, &click.user_id);
    out.extend_from_slice(br#","mysfitId":""#);
    click.mysfit_id.push(out);
    out.extend_from_slice(br#"","#);
    out.extend_from_slice(mysfit.fragment());
    out.extend_from_slice(br#","clickedAt":""#);
    arrival.push(out);
    out.extend_from_slice(br#"","clickId":""#);
    id.push(out);
    out.extend_from_slice(b"\"}\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;

    use super::*;
    use crate::mysfit::MysfitError;
    use crate::refusal::Refusal;

    const ID: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";
    const YETI: &[u8] = br#"{"goodevil":"Evil","lawchaos":"Neutral","species":"Yeti"}"#;

    fn line(click: &str, mysfit: &[u8], arrival: i64) -> Result<String, String> {
        let click =
            Click::parse(click.as_bytes()).map_err(|refusal: Refusal| refusal.to_string())?;
        let mysfit = Mysfit::parse(mysfit).map_err(|error: MysfitError| format!("{error:?}"))?;
        let arrival = Arrival::from_millis(arrival).ok_or("no arrival")?;
        let mut out = Vec::new();
        let id = click.click_id.unwrap_or(ClickId::of_record("r"));
        push_line(&mut out, &click, &mysfit, arrival, id);
        String::from_utf8(out).map_err(|error| error.to_string())
    }

    #[test]
    fn the_line_is_the_designs() -> Result<(), String> {
        let click = format!(r#"{{"mysfitId":"{ID}","clickId":"{ID}","userId":"guest"}}"#);
        assert_eq!(
            line(&click, YETI, 1_495_072_949_453)?,
            concat!(
                r#"{"userId":"guest","mysfitId":"b41ff031-141e-4a8d-bb56-158a22bea0b3","#,
                r#""goodevil":"Evil","lawchaos":"Neutral","species":"Yeti","#,
                r#""clickedAt":"2017-05-18T02:02:29.453Z","#,
                r#""clickId":"b41ff031-141e-4a8d-bb56-158a22bea0b3"}"#,
                "\n"
            )
        );
        Ok(())
    }

    #[test]
    fn an_arrival_out_of_range_is_none() {
        for milliseconds in [-1, i64::MIN, 253_402_300_800_000, i64::MAX] {
            assert_eq!(Arrival::from_millis(milliseconds), None, "{milliseconds}");
        }
        assert!(Arrival::from_millis(253_402_300_799_999).is_some());
    }

    proptest! {
        #[test]
        fn the_arrival_is_rfc_3339_with_milliseconds(milliseconds in 0i64..253_402_300_800_000) {
            let mut out = Vec::new();
            if let Some(arrival) = Arrival::from_millis(milliseconds) {
                arrival.push(&mut out);
            }
            prop_assert_eq!(out.len(), Arrival::LEN);
            let read = OffsetDateTime::parse(std::str::from_utf8(&out)?, &Rfc3339)?;
            prop_assert_eq!(read.unix_timestamp_nanos(), i128::from(milliseconds) * 1_000_000);
        }

        /// Whatever the user is called, the line is one line of JSON that says it back.
        #[test]
        fn a_line_is_one_line_of_json(user in any::<String>()) {
            let click = serde_json::json!({ "userId": user, "mysfitId": ID }).to_string();
            let line = line(&click, YETI, 0).map_err(TestCaseError::fail)?;
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert!(line.ends_with('\n'));
            let read: serde_json::Value = serde_json::from_str(&line)?;
            prop_assert_eq!(read["userId"].as_str(), Some(user.as_str()));
        }

        /// However the click was written: plain, every character escaped, or a mixture.
        #[test]
        fn a_line_never_grows_beyond_the_bound(
            user in prop::collection::vec((any::<char>(), any::<bool>()), 0..100),
            attribute in prop::collection::vec(any::<char>(), 1..16),
        ) {
            let user: String = user.into_iter().map(|(c, escaped)| as_json(c, escaped)).collect();
            let click = format!(r#"{{"userId":"{user}","mysfitId":"{ID}"}}"#);
            let attribute = String::from_iter(attribute);
            let mysfit = serde_json::json!({
                "goodevil": attribute, "lawchaos": attribute, "species": attribute
            });
            if Mysfit::parse(mysfit.to_string().as_bytes()).is_ok() {
                let line = line(&click, mysfit.to_string().as_bytes(), 0).map_err(TestCaseError::fail)?;
                prop_assert!(line.len() <= click.len() + MAX_GROWTH);
            }
        }
    }

    fn as_json(c: char, escaped: bool) -> String {
        if escaped {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units);
            return units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        }
        let quoted = serde_json::Value::from(c.to_string()).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    }
}
