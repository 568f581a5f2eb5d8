use super::*;
use crate::plugin::prompt::{Nobody, Prompt, Scripted};

fn user(kind: Kind, name: &str) -> User {
    User {
        kind,
        name: name.to_owned(),
        display_name: name.to_owned(),
        active: true,
        reason: "Ready".to_owned(),
    }
}

/// A case, the answers, the users, and what becomes of them.
type Row<'a> = (&'a str, &'a [&'a str], &'a [User], Option<Vec<Fate>>);

#[test]
fn each_user_gets_the_fate_that_somebody_chooses() {
    use Fate::{LetGo, Removed};
    let two = [user(Kind::Export, "nightly"), user(Kind::Enrichment, "companies")];
    let rows: [Row<'_>; 6] = [
        ("all are let go", &["0"], &two, Some(vec![LetGo, LetGo])),
        ("all are removed", &["1"], &two, Some(vec![Removed, Removed])),
        ("one by one", &["2", "1", "0"], &two, Some(vec![Removed, LetGo])),
        ("stopped in between", &["2", "1", "2"], &two, None),
        ("stopped", &["3"], &two, None),
        ("of one there is no each", &["2"], &two[..1], None),
    ];
    for (case, answers, users, expected) in rows {
        let prompt = Scripted::new(answers);
        assert_eq!(decided(&prompt, users).expect(case), expected, "{case}");
    }
    let prompt: &dyn Prompt = &Nobody;
    assert!(decided(prompt, &two).is_err(), "nobody decides for them");
}

#[test]
fn what_was_done_before_a_stop_is_told() {
    let kept = |done: &[&str]| {
        RemoveError::Kept {
            name: "partner".to_owned(),
            done: so_far(&done.iter().map(|&it| it.to_owned()).collect::<Vec<_>>()),
        }
        .to_string()
    };
    assert_eq!(kept(&[]), "partner stays. Nothing has changed.");
    let done = ["export/nightly detached", "enrichment/companies removed"];
    assert_eq!(
        kept(&done),
        "partner stays. Done so far: export/nightly detached, enrichment/companies removed."
    );
}
