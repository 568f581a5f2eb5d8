use super::*;
use crate::fixtures::{DatasetBuilder, dataset};

#[test]
fn a_path_covers_what_it_would_read() {
    let rows = [
        ("a.csv", "a.csv", true),
        ("./a.csv", "a.csv", true),
        ("a.csv", "b.csv", false),
        ("d", "d/1.csv", true),
        ("d", "d/e/1.csv", false),
        ("d/*.csv", "d/1.csv", true),
        ("d/*.csv", "d/1.txt", false),
        ("*", "a.csv", true),
        (".", "a.csv", true),
        ("d", "d/_SUCCESS", false),
        ("d", "d/.hidden", false),
        ("d/*", "d/_SUCCESS", false),
        ("d/_SUCCESS", "d/_SUCCESS", true),
        ("[1].csv", "1.csv", false),
        ("a.csv", "../a.csv", false),
    ];
    for (path, file, expected) in rows {
        assert_eq!(covers(path, file), expected, "{path} {file}");
    }
}

#[test]
fn a_place_belongs_to_what_is_read_there_and_else_to_the_oldest_that_is_written() {
    let output = |name: &str| dataset(name).of_role(Role::Output).at("out/x.csv").created(50);
    let of_claim = |mut built: DatasetBuilder, claim: &str| {
        built
            .0
            .spec
            .location
            .volume
            .as_mut()
            .expect("a volume")
            .claim_name = claim.into();
        built
    };
    let read = |name: &str| Some(PlaceTaken::Read(name.to_owned()));
    let written = |name: &str| Some(PlaceTaken::Written(name.to_owned()));
    let rows = [
        ("nobody else", vec![], None),
        (
            "one beside it",
            vec![dataset("a").at("out/y.csv"), output("b").at("out/y.csv")],
            None,
        ),
        (
            "one of another claim",
            vec![of_claim(dataset("a").at("out"), "other")],
            None,
        ),
        ("one of its file", vec![dataset("a").at("out/x.csv")], read("a")),
        (
            "one of its folder",
            vec![dataset("b").at("out"), dataset("a").at("out/")],
            read("a"),
        ),
        (
            "one of its pattern",
            vec![dataset("a").at("*/*.csv").created(99)],
            read("a"),
        ),
        (
            "an older output",
            vec![output("z").created(49), output("y").created(48)],
            written("y"),
        ),
        ("a younger output", vec![output("a").created(51)], None),
        (
            "an output of the same second",
            vec![output("a"), output("z")],
            written("a"),
        ),
        (
            "rejected rows",
            vec![output("a").of_role(Role::Rejects).created(1)],
            written("a"),
        ),
        (
            "what is read, before an older output",
            vec![output("a").created(1), dataset("z").at("out")],
            read("z"),
        ),
    ];
    let own = output("own");
    for (case, others, expected) in rows {
        let all = others.into_iter().chain([own.clone()]);
        let all = all.map(|built| Arc::new(built.0));
        assert_eq!(taken(&own.0, all), expected, "{case}");
    }
}
