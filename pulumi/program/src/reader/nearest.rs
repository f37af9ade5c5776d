//! The allowed value that is nearest to a wrong one, for the command that fixes it.

/// What people write for `true` and `false`, in small letters.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("1", "true"),
    ("enabled", "true"),
    ("on", "true"),
    ("y", "true"),
    ("yes", "true"),
    ("0", "false"),
    ("disabled", "false"),
    ("n", "false"),
    ("no", "false"),
    ("off", "false"),
];

/// The choice that is meant: by another name of it, or by its letters when most of them are the
/// same, capital or small. Nothing when two are equally near.
pub(super) fn choice(
    text: &str,
    choices: &[&'static str],
    other_names: &[(&str, &str)],
) -> Option<&'static str> {
    let text = text.trim().to_lowercase();
    let meant = OTHER_NAMES
        .iter()
        .chain(other_names)
        .find(|(name, _)| *name == text);
    let meant = meant.and_then(|(_, value)| choices.iter().find(|choice| *choice == value));
    if let Some(meant) = meant {
        return Some(meant);
    }
    let distance =
        |choice: &str| strsim::damerau_levenshtein(&choice.to_lowercase(), text.as_str());
    let least = choices.iter().map(|choice| distance(choice)).min()?;
    let mut near = choices.iter().filter(|choice| distance(choice) == least);
    let one = near.next().filter(|_| near.next().is_none())?;
    let longest = one.chars().count().max(text.chars().count());
    (least * 2 < longest).then_some(one)
}

/// The allowed number next to another one, the lower one of two; nothing when the text is none.
pub(super) fn number(text: &str, allowed: impl Iterator<Item = u32>) -> Option<u32> {
    let wanted: f64 = text.trim().parse().ok()?;
    if !wanted.is_finite() {
        return None;
    }
    allowed.min_by(|one, other| {
        let distance = |number: u32| (f64::from(number) - wanted).abs();
        distance(*one).total_cmp(&distance(*other))
    })
}
