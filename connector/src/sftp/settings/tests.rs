use super::*;
use crate::fault::tests::is_fit;
use crate::fixtures::{connection, in_catalog, plan, sftp_type};
use connection_operator::api::Connection;
use connection_operator::api::connection::Parameters;
use connection_operator::api::connection_type::{ConnectionTypeSpec, UsedFor};
use serde_json::{Value, json};

/// A plan and a connection with these changes.
fn changed(parameters: Value, chosen: Value, fixed: Value) -> (Plan, Connection) {
    let (mut plan, mut connection) = (plan(), connection());
    let read = |value: Value| serde_json::from_value::<Parameters>(value).expect("parameters");
    connection.spec.parameters.extend(read(parameters));
    connection.spec.fixed_export_parameters = read(fixed);
    plan.parameters = read(chosen);
    (plan, connection)
}

#[test]
fn defaults_are_those_of_the_type() {
    let found = Settings::of(&plan(), &connection().spec);
    let expected = Settings {
        host: "sftp.partner.example".to_owned(),
        port: 22,
        host_key: None,
        folder: "/in".to_owned(),
        subfolders: Vec::new(),
        form: Form {
            delimiter: b',',
            gzip: false,
        },
        files_max: 5,
    };
    assert_eq!(found, Ok(expected));
}

#[test]
fn what_the_connection_fixes_stands() {
    let own = json!({"port": "2222", "folder": "drop/in/"});
    let chosen = json!({"subfolder": "a/b", "delimiter": "Tab"});
    let (plan, connection) = changed(own, chosen, json!({"compression": "Gzip"}));
    let found = Settings::of(&plan, &connection.spec).expect("they fit");
    assert_eq!((found.port, found.folder.as_str()), (2222, "drop/in"));
    assert_eq!(found.subfolders, ["a", "b"]);
    assert_eq!(
        found.form,
        Form {
            delimiter: b'\t',
            gzip: true
        }
    );
}

#[test]
fn what_does_not_fit_the_type_is_refused() {
    let none = || json!({});
    let rows = [
        (
            "a port that is none",
            json!({"port": "x"}),
            none(),
            none(),
            SettingsFault::Connection,
        ),
        (
            "an unknown parameter",
            json!({"proxy": "x"}),
            none(),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a host with a scheme",
            json!({"hostname": "sftp://x"}),
            none(),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a folder that steps up",
            json!({"folder": "/in/../x"}),
            none(),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a subfolder that steps up",
            none(),
            json!({"subfolder": "../x"}),
            none(),
            SettingsFault::Choice,
        ),
        (
            "an absolute subfolder",
            none(),
            json!({"subfolder": "/x"}),
            none(),
            SettingsFault::Choice,
        ),
        (
            "an unknown choice",
            none(),
            json!({"compression": "Zip"}),
            none(),
            SettingsFault::Choice,
        ),
        (
            "a choice that is the connection's",
            none(),
            json!({"delimiter": "Tab"}),
            json!({"delimiter": "Comma"}),
            SettingsFault::Choice,
        ),
    ];
    for (case, parameters, chosen, fixed, expected) in rows {
        let (plan, connection) = changed(parameters, chosen, fixed);
        assert_eq!(Settings::of(&plan, &connection.spec), Err(expected), "{case}");
        is_fit(&expected);
    }
}

#[test]
fn types_of_other_connectors_and_other_makers_are_refused() {
    let change = |change: &dyn Fn(&mut ConnectionTypeSpec)| {
        let mut plan = plan();
        change(&mut plan.type_spec);
        Settings::of(&plan, &connection().spec)
    };
    let other = change(&|type_| type_.connector = Some("s3".into()));
    assert_eq!(other, Err(SettingsFault::NotOurs));
    let none = change(&|type_| type_.connector = None);
    assert_eq!(none, Err(SettingsFault::NotOurs));
    let import = change(&|type_| type_.used_for = UsedFor::Enrichment);
    assert_eq!(import, Err(SettingsFault::NotOurs));
    let lax = {
        let (mut plan, connection) = changed(json!({}), json!({"subfolder": "../../etc"}), json!({}));
        let mut parameters = plan.type_spec.export_parameters.iter_mut();
        let subfolder = parameters.find(|parameter| parameter.name.as_str() == "subfolder");
        subfolder.expect("it is declared").pattern = None;
        Settings::of(&plan, &connection.spec)
    };
    assert_eq!(
        lax,
        Err(SettingsFault::Choice),
        "also where the type's pattern lets it pass"
    );
}

#[test]
fn what_an_enrichment_fetches_is_one_file_below_the_connections_folder() {
    let import = |chosen: Value, change: fn(&mut Plan)| {
        let (mut plan, mut connection) = (plan(), connection());
        plan.used_for = UsedFor::Enrichment;
        plan.type_ = "sftp-import".into();
        plan.type_spec = in_catalog("sftp-import");
        plan.parameters = serde_json::from_value(chosen).expect("parameters");
        connection.spec.type_ = plan.type_.clone();
        change(&mut plan);
        Import::of(&plan, &connection.spec)
    };
    let chosen = json!({"fileName": "Companies.CSV.GZ", "subfolder": "a/b", "delimiter": "Pipe"});
    let found = import(chosen, |_| {}).expect("it fits");
    assert_eq!(
        (found.place.folder.as_str(), found.file.as_str()),
        ("/in", "Companies.CSV.GZ")
    );
    assert_eq!(found.place.subfolders, ["a", "b"]);
    assert_eq!((found.place.form.delimiter, found.gzip()), (b'|', true));
    assert!(
        !import(json!({"fileName": "a.csv"}), |_| {})
            .expect("it fits")
            .gzip()
    );

    // A type of somebody else's making may let through what leads out.
    let anything = |plan: &mut Plan| {
        for parameter in &mut plan.type_spec.export_parameters {
            parameter.pattern = None;
        }
    };
    for name in ["../a.csv", "a/b.csv", ".", "..", ".a.csv", "/etc/passwd", "a\\b"] {
        let found = import(json!({"fileName": name}), anything);
        assert_eq!(found, Err(SettingsFault::Choice), "{name}");
    }
    assert_eq!(import(json!({}), |_| {}), Err(SettingsFault::Choice), "no file");
    let file = || json!({"fileName": "a.csv"});
    let of_export: fn(&mut Plan) = |plan| plan.used_for = UsedFor::Export;
    let of_another_type: fn(&mut Plan) = |plan| plan.type_spec = sftp_type();
    for change in [of_export, of_another_type] {
        assert_eq!(import(file(), change), Err(SettingsFault::NotOurs));
    }
}
