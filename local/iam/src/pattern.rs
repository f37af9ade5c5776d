//! The wildcards of policies: `*` for any run of characters, `?` for exactly one.

/// The colon-delimited parts of an ARN: `arn:partition:service:region:account:resource`. Colons
/// after the fifth belong to the resource.
const ARN_PARTS: usize = 6;

/// Whether `text` matches `pattern`, case-sensitively.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when a match fails: after the last `*`, which then takes one more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, taken)) => {
                    p = star;
                    t = taken + 1;
                    retry = Some((star, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Whether `text` matches `pattern` when letter case does not count: actions.
pub(crate) fn like_ignoring_case(pattern: &str, text: &str) -> bool {
    like(&pattern.to_lowercase(), &text.to_lowercase())
}

/// Whether `arn` matches `pattern` part by part: a wildcard never reaches over one of the first
/// five colons. Something that is no ARN matches no pattern but `*`.
pub fn arn_like(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut patterns = pattern.splitn(ARN_PARTS, ':');
    let mut parts = arn.splitn(ARN_PARTS, ':');
    let mut matched = 0;
    loop {
        match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) if like(pattern, part) => matched += 1,
            (None, None) => return matched == ARN_PARTS,
            _ => return false,
        }
    }
}

/// Whether `text` has the form of an ARN, wildcards included.
pub(crate) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.splitn(ARN_PARTS, ':').count() == ARN_PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_runs_and_single_characters() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("*ab", "aab", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("?", "é", true),
            ("iam:*AccessKey*", "iam:CreateAccessKey", true),
            ("*a*a*a*b", &"a".repeat(200), false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn letter_case_counts_unless_told_otherwise() {
        assert!(!like("S3:GetObject", "s3:getobject"));
        assert!(like_ignoring_case("S3:GetObject", "s3:getobject"));
    }

    /// The first three rows are the example of AWS's own page on condition operators:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN>
    #[test]
    fn an_arns_wildcards_stay_between_its_colons() {
        let finance = "arn:aws:someservice:*:111122223333:finance/*";
        let store = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
        assert!(like(finance, store));
        assert!(!arn_like(finance, store));
        assert!(arn_like(
            finance,
            "arn:aws:someservice:us-east-2:111122223333:finance/document.txt"
        ));

        assert!(arn_like(
            "arn:aws:s3:::bucket/*",
            "arn:aws:s3:::bucket/a/b:c"
        ));
        assert!(!arn_like("arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a"));
        assert!(arn_like(
            "arn:aws:logs:*:000000000000:log-group:/aws/lambda/f:*",
            "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:log-stream:s"
        ));
        assert!(!arn_like("arn:aws:s3:::*", "bucket"));
        assert!(arn_like("*", "arn:aws:s3:::bucket"));
    }
}
