//! What somebody may have meant who mistyped.

/// How alike two names must be, of 1.
const ALIKE: f64 = 0.8;

/// The name that is most like this one, if any is.
#[must_use]
pub fn nearest<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.map(|name| (strsim::jaro_winkler(asked, name), name));
    let alike = alike.filter(|(likeness, _)| *likeness >= ALIKE);
    let (_, name) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_no_far_one() {
        let known = ["sftp-partner", "provider", "paid"];
        let rows = [
            ("sftp-partnr", Some("sftp-partner")),
            ("provder", Some("provider")),
            ("zebra", None),
            ("", None),
        ];
        for (asked, expected) in rows {
            assert_eq!(nearest(asked, known.into_iter()), expected, "{asked:?}");
        }
    }
}
