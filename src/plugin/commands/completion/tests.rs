use super::candidates::{Live, Offers, offers};
use super::*;

fn offered(words: &str, begun: &str) -> Offers {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    offers(&Arguments::command(), &words, begun)
}

fn known(words: &str, begun: &str) -> Vec<String> {
    match offered(words, begun) {
        Offers::Known(known) => known,
        other => panic!("{other:?} for {words}"),
    }
}

#[test]
fn commands_flags_and_values_are_offered_where_they_may_stand() {
    let commands = known("", "");
    for command in ["add", "list", "vault"] {
        assert!(
            commands.contains(&command.to_owned()),
            "{command} in {commands:?}"
        );
    }
    assert!(!commands.contains(&"__complete".to_owned()), "that is for shells");
    assert!(known("vault", "").contains(&"unlink".to_owned()));
    let flags = known("remove partner", "--");
    for flag in ["--detach-all", "--namespace"] {
        assert!(flags.contains(&flag.to_owned()), "{flag} in {flags:?}");
    }
    assert!(known("list --sort-by", "").contains(&"in-use".to_owned()));
    assert!(known("completion", "").contains(&"fish".to_owned()));
}

#[test]
fn names_are_offered_where_they_may_stand() {
    let rows = [
        ("describe", Offers::Live(Live::Connections)),
        ("-n marketing consent", Offers::Live(Live::Connections)),
        ("consent --namespace", Offers::Live(Live::Namespaces)),
        ("detach", Offers::Live(Live::Exports)),
        ("activate companies --to", Offers::Live(Live::Connections)),
        ("add", Offers::Live(Live::Types)),
        ("vault unlink", Offers::Live(Live::KeyVaults)),
        ("vault list", Offers::Live(Live::KeyVaults)),
        ("list", Offers::Known(Vec::new())),
        ("describe partner", Offers::Known(Vec::new())),
        ("list --kubeconfig", Offers::Files),
        ("consent --offline -f", Offers::Files),
    ];
    for (words, expected) in rows {
        assert_eq!(offered(words, ""), expected, "{words}");
    }
}

#[test]
fn the_cluster_is_that_of_the_flags_so_far() {
    let words = ["describe", "-n", "marketing", "--context", "east", "--nonsense"].map(str::to_owned);
    let flags = flags(&words);
    assert_eq!(
        (flags.namespace.as_deref(), flags.context.as_deref()),
        (Some("marketing"), Some("east"))
    );
}
