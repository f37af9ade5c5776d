//! A click as the site sends it: `{"userId": "…", "mysfitId": "…", "clickId": "…"}`, the last of
//! which may be absent. Other fields are let through and left out, so that the site may say more
//! before the processor knows of it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess};

use crate::click_id::ClickId;
use crate::json::{Fields, Object, Scalar};
use crate::mysfit::MysfitId;
use crate::refusal::Refusal;

#[derive(Debug, PartialEq)]
pub struct Click<'a> {
    /// What the browser said, unauthenticated and of any length.
    pub user_id: Cow<'a, str>,
    pub mysfit_id: MysfitId,
    /// Absent in clicks of pages that made none.
    pub click_id: Option<ClickId>,
}

impl<'a> Click<'a> {
    pub fn parse(data: &'a [u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(data).map_err(|_| Refusal::NotUtf8)?;
        let Object(raw) = serde_json::from_str(text).map_err(|_| Refusal::NotJson)?;
        let RawClick {
            user_id,
            mysfit_id,
            click_id,
            twice,
        } = raw.ok_or(Refusal::NotAnObject)?;
        if let Some(name) = twice {
            return Err(Refusal::Twice(name));
        }
        let user_id = text_of(user_id, "userId")?;
        let mysfit_id = text_of(mysfit_id, "mysfitId")?;
        let click_id = match click_id {
            Scalar::Absent => None,
            given => Some(text_of(given, "clickId")?),
        };
        Ok(Click {
            user_id,
            mysfit_id: MysfitId::parse(&mysfit_id).ok_or(Refusal::NotAnId("mysfitId"))?,
            click_id: click_id
                .map(|id| ClickId::parse(&id).ok_or(Refusal::NotAnId("clickId")))
                .transpose()?,
        })
    }
}

fn text_of<'a>(value: Scalar<'a>, name: &'static str) -> Result<Cow<'a, str>, Refusal> {
    match value {
        Scalar::Text(text) => Ok(text),
        Scalar::Absent => Err(Refusal::Missing(name)),
        Scalar::Integer(_) | Scalar::Other => Err(Refusal::NotAString(name)),
    }
}

#[derive(Default)]
struct RawClick<'a> {
    user_id: Scalar<'a>,
    mysfit_id: Scalar<'a>,
    click_id: Scalar<'a>,
    /// Readers of JSON disagree on which of two counts, so neither does.
    twice: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    UserId,
    MysfitId,
    ClickId,
    #[serde(other)]
    Other,
}

impl<'de> Fields<'de> for RawClick<'de> {
    fn read<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut click = Self::default();
        while let Some(field) = map.next_key()? {
            let (slot, name) = match field {
                Field::UserId => (&mut click.user_id, "userId"),
                Field::MysfitId => (&mut click.mysfit_id, "mysfitId"),
                Field::ClickId => (&mut click.click_id, "clickId"),
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if *slot != Scalar::Absent {
                click.twice = Some(name);
            }
            *slot = map.next_value()?;
        }
        Ok(click)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";

    fn refusal(text: &str) -> Option<Refusal> {
        Click::parse(text.as_bytes()).err()
    }

    #[test]
    fn a_click_is_a_user_and_a_mysfit_whatever_else_it_says() -> Result<(), Refusal> {
        let text = format!(
            r#" {{"at":[1,{{}}],"mysfitId":"{ID}","userId":"a\u0000\ud83d\ude00","x":null}} "#
        );
        let click = Click::parse(text.as_bytes())?;
        assert_eq!(click.user_id, "a\0😀");
        assert_eq!(click.mysfit_id.to_string(), ID);
        assert_eq!(click.click_id, None);
        let text = format!(r#"{{"userId":"u","mysfitId":"{ID}","clickId":"{ID}"}}"#);
        assert_eq!(Click::parse(text.as_bytes())?.click_id, ClickId::parse(ID));
        Ok(())
    }

    #[test]
    fn what_is_no_click_is_refused_with_its_reason() {
        let not_json = [
            "",
            " ",
            "{",
            "nul",
            "{}{}",
            r#"{"userId":"\ud800","mysfitId":""}"#,
            "'a'",
        ];
        for text in not_json {
            assert_eq!(refusal(text), Some(Refusal::NotJson), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(refusal(&deep), Some(Refusal::NotJson));
        for text in [
            "1",
            "-1",
            "1.5",
            "null",
            "true",
            "\"a\"",
            "[]",
            r#"[{"userId":"u"}]"#,
        ] {
            assert_eq!(refusal(text), Some(Refusal::NotAnObject), "{text}");
        }
        assert_eq!(
            Click::parse(b"{\"userId\":\"\xff\"}"),
            Err(Refusal::NotUtf8)
        );

        assert_eq!(refusal("{}"), Some(Refusal::Missing("userId")));
        assert_eq!(
            refusal(r#"{"userId":"u"}"#),
            Some(Refusal::Missing("mysfitId"))
        );
        assert_eq!(
            refusal(r#"{"userid":"u"}"#),
            Some(Refusal::Missing("userId"))
        );
        for value in ["1", "null", "true", "[]", "{}", "1e9"] {
            let text = format!(r#"{{"userId":{value},"mysfitId":"{ID}"}}"#);
            assert_eq!(
                refusal(&text),
                Some(Refusal::NotAString("userId")),
                "{value}"
            );
            let text = format!(r#"{{"userId":"u","mysfitId":{value}}}"#);
            assert_eq!(
                refusal(&text),
                Some(Refusal::NotAString("mysfitId")),
                "{value}"
            );
        }
        let twice = format!(r#"{{"userId":"u","userId":"v","mysfitId":"{ID}"}}"#);
        assert_eq!(refusal(&twice), Some(Refusal::Twice("userId")));
        for id in ["", "../", "a?b=c", "%2f", "Snowflake"] {
            let text = format!(r#"{{"userId":"u","mysfitId":"{id}"}}"#);
            assert_eq!(refusal(&text), Some(Refusal::NotAnId("mysfitId")), "{id}");
            let text = format!(r#"{{"userId":"u","mysfitId":"{ID}","clickId":"{id}"}}"#);
            assert_eq!(refusal(&text), Some(Refusal::NotAnId("clickId")), "{id}");
        }
        for value in ["1", "null", "true", "[]"] {
            let text = format!(r#"{{"userId":"u","mysfitId":"{ID}","clickId":{value}}}"#);
            let expected = Some(Refusal::NotAString("clickId"));
            assert_eq!(refusal(&text), expected, "{value}");
        }
        let twice =
            format!(r#"{{"clickId":"{ID}","userId":"u","mysfitId":"{ID}","clickId":"{ID}"}}"#);
        assert_eq!(refusal(&twice), Some(Refusal::Twice("clickId")));
    }

    proptest! {
        #[test]
        fn any_user_comes_through(user in any::<String>()) {
            let text = serde_json::json!({ "userId": user, "mysfitId": ID }).to_string();
            let parsed = Click::parse(text.as_bytes()).map(|click| click.user_id.into_owned());
            prop_assert_eq!(parsed, Ok(user));
        }

        #[test]
        fn any_bytes_are_a_click_or_a_refusal(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Click::parse(&data);
        }
    }
}
