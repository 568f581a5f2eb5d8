use super::choices::told;
use super::steps::told_of;
use super::*;
use crate::plugin::prompt::{Nobody, Prompt, Scripted};

fn user(kind: Kind, name: &str) -> User {
    User {
        kind,
        name: name.to_owned(),
        uid: format!("uid of {name}"),
        version: Some("7".to_owned()),
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
    let rows: [Row<'_>; 7] = [
        ("the first is to stop", &["0"], &two, None),
        ("all are let go", &["1"], &two, Some(vec![LetGo, LetGo])),
        ("all are removed", &["2"], &two, Some(vec![Removed, Removed])),
        ("one by one", &["3", "2", "1"], &two, Some(vec![Removed, LetGo])),
        ("stopped in between", &["3", "2", "0"], &two, None),
        ("one is removed", &["2"], &two[..1], Some(vec![Removed])),
        ("of one there is no each", &["3"], &two[..1], None),
    ];
    for (case, answers, users, expected) in rows {
        let prompt = Scripted::new(answers);
        assert_eq!(decided(&prompt, users).expect(case), expected, "{case}");
    }
    let prompt: &dyn Prompt = &Nobody;
    assert!(decided(prompt, &two).is_err(), "nobody decides for them");
}

#[test]
fn all_that_will_happen_is_told_before_it_does() {
    let users = [user(Kind::Export, "nightly"), user(Kind::Enrichment, "companies")];
    let fates = Fates::from([
        (users[0].uid.clone(), Fate::Removed),
        (users[1].uid.clone(), Fate::LetGo),
    ]);
    let expected = "Before it goes:
  export/nightly        removed for good
  enrichment/companies  deactivated, and keeps its configuration
";
    assert_eq!(told(&users, &fates, ""), expected);
    let (own, others) = (["partner".to_owned()], ["weekly".to_owned()]);
    let secret = told_of(&own, &[]);
    assert_eq!(secret, "The Secret partner was made for it, and goes with it.");
    assert_eq!(told(&users, &fates, &secret), format!("{expected}{secret}"));
    assert!(
        told_of(&own, &others).ends_with("Other connections name that too, and won't run without: weekly.")
    );
}

#[test]
fn what_was_done_before_an_end_is_told() {
    let done = ["export/nightly detached", "enrichment/companies removed"].map(str::to_owned);
    let so_far = "Done so far: export/nightly detached, enrichment/companies removed.";
    let name = || "partner".to_owned();
    let refused = ClusterError::TimedOut { after: COUNTED };
    let rows = [
        (
            unchanged(RemoveError::Kept { name: name() }),
            "partner stays. Nothing has changed.",
            format!("partner stays. {so_far}"),
        ),
        (
            Failure::from(PromptError::Interrupted),
            "Interrupted; nothing has changed.",
            format!("Interrupted. {so_far}"),
        ),
        (
            refused.clone().into(),
            &refused.to_string(),
            format!("{refused} {so_far}"),
        ),
    ];
    for (failure, alone, after) in rows {
        let exit = failure.exit;
        assert_eq!(with_steps(failure.clone(), &[]).told, alone);
        let told = with_steps(failure, &done);
        assert_eq!((told.told, told.exit), (after, exit));
    }
}
