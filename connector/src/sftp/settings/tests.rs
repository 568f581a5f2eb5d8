use super::*;
use crate::fault::tests::is_fit;
use crate::fixtures::{connection, plan};
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
