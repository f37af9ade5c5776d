//! Templates and texts at random: none panics, and what is encoded can be decoded.

use super::Request;
use proptest::prelude::*;

/// Pieces that templates are made of, to be put together at random.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "$input.json('$')",
            "$input.path('$.a')",
            "$input.params('q')",
            "$input.body",
            "$x",
            "$util.base64Encode(",
            "$util.parseJson(",
            "$context.stage",
            "$context.",
            "#set($x = ",
            "#if(",
            "#elseif(",
            "#else",
            "#end",
            "#foreach($x in ",
            "$foreach.hasNext",
            "#{end}",
            "##",
            "#*",
            "*#",
            "'",
            "\"",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "..",
            ".size()",
            ".get(",
            "==",
            "&&",
            "!",
            "+",
            "-",
            "1",
            "0.5",
            "true",
            "\\",
            "$",
            "#",
            "\n",
            " ",
            ",",
            ":",
            "${",
            "$!{",
            "in",
            "ä",
            "[1..3]",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Any template with any body: a text or an error, soon.
    #[test]
    fn no_template_panics(
        pieces in prop::collection::vec(piece(), 0..24),
        body in prop_oneof![Just(r#"{"a":[1,{"b":null}]}"#.to_owned()), "\\PC{0,20}"],
    ) {
        let template = pieces.concat();
        if let Err(error) = Request::new().render(&template, &body) {
            prop_assert!(!error.is_empty());
        }
    }

    /// A text without `$`, `#` and `\` is itself.
    #[test]
    fn plain_text_stays(text in "[^$#\\\\]{0,200}") {
        let rendered = Request::new().render(&text, "").unwrap();
        prop_assert_eq!(rendered.text, text);
    }

    /// What is encoded comes back, and JSON within JSON survives.
    #[test]
    fn encodings_can_be_undone(text in any::<String>()) {
        let body = serde_json::json!({ "text": text }).to_string();
        let request = Request::new();
        for template in [
            "$util.base64Decode($util.base64Encode($input.path('$.text')))",
            "$util.urlDecode($util.urlEncode($input.path('$.text')))",
        ] {
            let rendered = request.render(template, &body).unwrap();
            prop_assert_eq!(&rendered.text, &text);
        }
        let rendered = request.render("$input.json('$')", &body).unwrap();
        let value: serde_json::Value = serde_json::from_str(&rendered.text).unwrap();
        prop_assert_eq!(value["text"].as_str(), Some(text.as_str()));
    }
}
