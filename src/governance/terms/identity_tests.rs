//! By which columns people are recognised.

#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]
#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::tests::{item, load, of_catalog, said};
use super::*;
use crate::api::connection_type::Parameter;
use crate::fixtures::{DatasetBuilder, catalog_type, dataset, parameters, seen};
use serde_json::json;

#[test]
fn people_are_recognised_by_columns_that_the_dataset_names_and_that_go_out() {
    let columns = |names: &[&str]| -> &'static [ColumnName] {
        names
            .iter()
            .map(|name| ColumnName::from(*name))
            .collect::<Vec<_>>()
            .leak()
    };
    let readers = || dataset("readers");
    let identified = || readers().holding("mail", "email").holding("tel", "phone");
    let only = |names| Item {
        columns: columns(names),
        ..item(&identified())
    };
    let rows: Vec<(&str, &str, Item<'static>, Option<&str>)> = vec![
        (
            "a type that asks for nothing",
            "sftp-export",
            item(&readers()),
            None,
        ),
        ("the column is there", "marketo", item(&identified()), None),
        (
            "another of those that are enough",
            "marketo",
            item(&readers().holding("id", "marketoId")),
            None,
        ),
        ("the column goes out", "marketo", only(&["mail", "country"]), None),
        (
            "no column is named",
            "marketo",
            item(&readers()),
            Some(
                "spec.payload names the dataset readers, whose spec.identity names no column, and the type marketo takes \
                 email, or marketoId: name another dataset, or have an administrator say in spec.identity which column \
                 holds it.",
            ),
        ),
        (
            "only others are named",
            "marketo",
            item(&readers().holding("tel", "phone")),
            Some(
                "spec.payload names the dataset readers, whose spec.identity names columns that hold phone, and the type \
                 marketo takes email, or marketoId: name another dataset, or have an administrator say in spec.identity \
                 which column holds it.",
            ),
        ),
        (
            "the column doesn't go out",
            "marketo",
            only(&["tel"]),
            Some(
                "spec.payload leaves out columns of the dataset readers by which the type marketo recognises whom it is \
                 about, and that takes email, or marketoId: add mail to its columns.",
            ),
        ),
        (
            "half of a set",
            "braze",
            item(&identified()),
            Some(
                "spec.payload names the dataset readers, whose spec.identity names columns that hold email, phone, and \
                 the type braze takes email with brazeId: name another dataset, or have an administrator say in \
                 spec.identity which column holds it.",
            ),
        ),
        (
            "the field is filled by name",
            "leadspace",
            Item {
                mapped: vec!["companyName"],
                ..item(&readers())
            },
            None,
        ),
        (
            "a dataset that doesn't exist is told elsewhere",
            "marketo",
            Item {
                dataset: None,
                ..item(&readers())
            },
            None,
        ),
    ];
    for (case, type_, item, expected) in rows {
        let found = said(&of_catalog(type_), &load(vec![item]));
        let expected = expected.map(|text| (Reason::IdentityMissing, text.to_owned()));
        assert_eq!(found, expected, "{case}");
    }
}

const NONE: &[(&str, &str)] = &[];

fn given(pairs: &[(&str, &str)]) -> Parameters {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What is wrong with a dataset whose columns hold these, with such settings of its connection, of what that fixes and
/// of the export.
fn judged(type_: &CompiledType, set: [&[(&str, &str)]; 3], holding: &[&str]) -> Option<String> {
    let [connection, fixed, chosen] = set.map(given);
    let settings = Settings {
        connection: &connection,
        fixed: &fixed,
        chosen: &chosen,
    };
    let dataset = holding
        .iter()
        .fold(dataset("buyers"), |dataset: DatasetBuilder, one| {
            dataset.holding(one, one)
        });
    let standing = judge(type_, &settings, &load(vec![item(&dataset)]))?;
    assert_eq!(standing.reason, Reason::IdentityMissing);
    Some(standing.message)
}

#[test]
fn the_columns_that_a_parameter_asks_for_must_be_there() {
    let by = |value: &'static str| -> &'static [(&str, &str)] { vec![("keyIdentifier", value)].leak() };
    let company: &[(&str, &str)] = &[("targeting", "Company")];
    let address: &[&str] = &["firstName", "lastName", "street", "postalCode", "country"];
    let rows: &[(&str, &str, &[(&str, &str)], &[&str], bool)] = &[
        ("email by default", "liveramp-export", NONE, &["email"], true),
        (
            "email by choice",
            "liveramp-export",
            by("Email"),
            &["email"],
            true,
        ),
        ("phone", "liveramp-export", by("Phone"), &["phone"], true),
        (
            "name and address",
            "liveramp-export",
            by("NameAndAddress"),
            address,
            true,
        ),
        (
            "only email where phones are asked for",
            "liveramp-export",
            by("Phone"),
            &["email"],
            false,
        ),
        (
            "only phones where nobody chose",
            "liveramp-export",
            NONE,
            &["phone"],
            false,
        ),
        (
            "half of an address",
            "liveramp-export",
            by("NameAndAddress"),
            &address[..3],
            false,
        ),
        (
            "all where one is asked for",
            "liveramp-export",
            by("Phone"),
            &["email", "phone"],
            true,
        ),
        ("phone", "facebook-ads-manager", by("Phone"), &["phone"], true),
        (
            "only email where phones are asked for",
            "facebook-ads-manager",
            by("Phone"),
            &["email"],
            false,
        ),
        (
            "an address where email is asked for",
            "facebook-ads-manager",
            NONE,
            address,
            false,
        ),
        (
            "name and address",
            "facebook-ads-manager",
            by("NameAndAddress"),
            address,
            true,
        ),
        (
            "companies where people are asked for",
            "linkedin-ads",
            NONE,
            &["companyName"],
            false,
        ),
        ("companies", "linkedin-ads", company, &["companyName"], true),
        (
            "another column of companies",
            "linkedin-ads",
            company,
            &["stockSymbol"],
            true,
        ),
        (
            "people where companies are asked for",
            "linkedin-ads",
            company,
            &["email"],
            false,
        ),
        ("people", "linkedin-ads", NONE, &["firstName", "lastName"], true),
    ];
    for (case, type_, chosen, holding, enough) in rows {
        let told = judged(&of_catalog(type_), [NONE, NONE, chosen], holding);
        assert_eq!(told.is_none(), *enough, "{type_}, {case}: {told:?}");
    }
}

/// The type `liveramp-export`, where those who know them may also give customer numbers, and where the connection
/// decides on households.
fn households() -> Arc<CompiledType> {
    let mut type_ = catalog_type("liveramp-export");
    let switch =
        json!({"name": "households", "type": "Boolean", "description": "Households?", "default": "false"});
    let switch: Parameter = serde_json::from_value(switch).expect("a parameter");
    type_.spec.parameters.push(switch);
    let any_of = json!([
        {"all": ["email"], "when": {"parameter": "keyIdentifier", "value": "Email"}},
        {"all": ["household"], "when": {"parameter": "households", "value": "true"}},
    ]);
    let identity = type_.spec.identity.as_mut().expect("it asks for some");
    identity.any_of = serde_json::from_value(any_of).expect("sets");
    seen(&type_).usable().expect("the type fits together").clone()
}

#[test]
fn what_is_missing_is_told_with_the_parameter_that_asks_for_it() {
    let (liveramp, linkedin, households) = (
        of_catalog("liveramp-export"),
        of_catalog("linkedin-ads"),
        households(),
    );
    let phone: &[(&str, &str)] = &[("keyIdentifier", "Phone")];
    let yes: &[(&str, &str)] = &[("households", "true")];
    let rows: Vec<(
        &str,
        &Arc<CompiledType>,
        [&[(&str, &str)]; 3],
        &[&str],
        Option<&str>,
    )> = vec![
        (
            "chosen, and another choice would do",
            &liveramp,
            [NONE, NONE, phone],
            &["email"],
            Some(
                "spec.payload names the dataset buyers, whose spec.identity names columns that hold email, and the type \
                 liveramp-export takes phone, as spec.parameters.keyIdentifier is \"Phone\": set \
                 spec.parameters.keyIdentifier to \"Email\", name another dataset, or have an administrator say in \
                 spec.identity which column holds it.",
            ),
        ),
        (
            "the default, and another choice would do",
            &linkedin,
            [NONE; 3],
            &["companyName"],
            Some(
                "spec.payload names the dataset buyers, whose spec.identity names columns that hold companyName, and the \
                 type linkedin-ads takes email, or appleAdId, or googleAdId, or googleUserId, or firstName with lastName, \
                 as spec.parameters.targeting is \"Contact\" by default: set spec.parameters.targeting to \"Company\", name \
                 another dataset, or have an administrator say in spec.identity which column holds it.",
            ),
        ),
        (
            "no choice would do",
            &liveramp,
            [NONE, NONE, phone],
            &["city"],
            Some(
                "spec.payload names the dataset buyers, whose spec.identity names columns that hold city, and the type \
                 liveramp-export takes phone, as spec.parameters.keyIdentifier is \"Phone\": name another dataset, or have \
                 an administrator say in spec.identity which column holds it.",
            ),
        ),
        (
            "fixed by the connection, whose value is its own concern",
            &liveramp,
            [NONE, phone, NONE],
            &["email"],
            Some(
                "spec.payload names the dataset buyers, whose spec.identity names columns that hold email, and the type \
                 liveramp-export takes phone, as its connection says by keyIdentifier: name another dataset, or have an \
                 administrator say in spec.identity which column holds it.",
            ),
        ),
        (
            "fixed by the connection, and there",
            &liveramp,
            [NONE, phone, NONE],
            &["phone"],
            None,
        ),
        (
            "a parameter of the connection, beside one of the export",
            &households,
            [yes, NONE, NONE],
            &["phone"],
            Some(
                "spec.payload names the dataset buyers, whose spec.identity names columns that hold phone, and the type \
                 liveramp-export takes email, or household, as spec.parameters.keyIdentifier is \"Email\" by default and \
                 its connection says by households: name another dataset, or have an administrator say in spec.identity \
                 which column holds it.",
            ),
        ),
        (
            "the one that the connection asks for",
            &households,
            [yes, NONE, NONE],
            &["household"],
            None,
        ),
        (
            "what the connection could ask for is no choice of an export",
            &households,
            [NONE; 3],
            &["household"],
            Some(
                "spec.payload names the dataset buyers, whose spec.identity names columns that hold household, and the \
                 type liveramp-export takes email, as spec.parameters.keyIdentifier is \"Email\" by default: name another \
                 dataset, or have an administrator say in spec.identity which column holds it.",
            ),
        ),
        (
            "where nothing counts nothing is asked for",
            &households,
            [NONE, NONE, phone],
            &[],
            None,
        ),
    ];
    for (case, type_, set, holding, expected) in rows {
        assert_eq!(judged(type_, set, holding).as_deref(), expected, "{case}");
    }
}

#[test]
fn columns_that_a_parameter_asks_for_are_missed_when_left_out() {
    let buyers = dataset("buyers").holding("mail", "email").holding("tel", "phone");
    let only_mail = Item {
        columns: vec![ColumnName::from("mail")].leak(),
        ..item(&buyers)
    };
    let (none, phone) = (Parameters::new(), parameters([("keyIdentifier", "Phone")]));
    let settings = Settings {
        connection: &none,
        fixed: &none,
        chosen: &phone,
    };
    let told = judge(&of_catalog("liveramp-export"), &settings, &load(vec![only_mail]));
    assert_eq!(
        told.map(|told| told.message).as_deref(),
        Some(
            "spec.payload leaves out columns of the dataset buyers by which the type liveramp-export recognises whom it is \
             about, and that takes phone, as spec.parameters.keyIdentifier is \"Phone\": add tel to its columns."
        )
    );
}
