use super::*;
use crate::fixtures::{connection, in_catalog, plan};
use connection_operator::api::Connection;
use connection_operator::api::connection::Parameters;
use connection_operator::api::connection_type::ConnectionTypeSpec;
use serde_json::{Value, json};

/// A plan and a connection of this type, with these parameters and this choice.
fn of(type_: &str, parameters: Value, chosen: Value) -> (Plan, Connection) {
    let (mut plan, mut connection) = (plan(), connection());
    let read = |value: Value| serde_json::from_value::<Parameters>(value).expect("parameters");
    connection.spec.type_ = type_.into();
    connection.spec.parameters = read(parameters);
    plan.parameters = read(chosen);
    plan.type_ = type_.into();
    plan.type_spec = in_catalog(type_);
    (plan, connection)
}

fn found((plan, connection): &(Plan, Connection)) -> Result<Settings, SettingsFault> {
    let connector = plan.type_spec.connector.clone().expect("it is run");
    Settings::of(plan, &connection.spec, connector.as_str())
}

fn s3_of(differences: Value) -> Value {
    let mut parameters = json!({"hostname": "s3.partner.example", "bucket": "exports"});
    if let (Value::Object(parameters), Value::Object(differences)) = (&mut parameters, differences) {
        parameters.extend(differences);
    }
    parameters
}

#[test]
fn defaults_are_those_of_the_type() {
    let expected = Settings {
        service: Service::S3 {
            host: "s3.partner.example".to_owned(),
            port: 443,
            region: "us-east-1".to_owned(),
            bucket: "exports".to_owned(),
        },
        folders: Vec::new(),
        form: Form {
            delimiter: b',',
            gzip: false,
        },
        files_max: 5,
    };
    assert_eq!(found(&of("s3", s3_of(json!({})), json!({}))), Ok(expected));
}

#[test]
fn what_was_said_and_chosen_stands() {
    let own = s3_of(json!({"port": "9000", "region": "eu-central-1"}));
    let chosen = json!({"folder": "crm/customers", "compression": "Gzip"});
    let settings = found(&of("s3", own, chosen)).expect("they fit");
    let Service::S3 { port, region, .. } = settings.service else {
        panic!("S3");
    };
    assert_eq!((port, region.as_str()), (9000, "eu-central-1"));
    assert_eq!(settings.folders, ["crm", "customers"]);
    assert!(settings.form.gzip);
}

#[test]
fn accounts_are_in_the_cloud_that_the_connection_names() {
    let rows = [
        (json!({}), "contoso.blob.core.windows.net"),
        (
            json!({"cloud": "USGovernment"}),
            "contoso.blob.core.usgovcloudapi.net",
        ),
        (json!({"cloud": "China"}), "contoso.blob.core.chinacloudapi.cn"),
    ];
    for type_ in ["azure-blob-storage", "inmobi", "adobe-experience-platform"] {
        for (cloud, expected) in &rows {
            let mut own = json!({"accountName": "contoso", "container": "exports"});
            if let (Value::Object(own), Value::Object(cloud)) = (&mut own, cloud.clone()) {
                own.extend(cloud);
            }
            let settings = found(&of(type_, own, json!({}))).expect("they fit");
            let expected = Service::AzureBlob {
                host: (*expected).to_owned(),
                account: "contoso".to_owned(),
                container: "exports".to_owned(),
            };
            assert_eq!(settings.service, expected, "{type_}");
        }
    }
}

#[test]
fn what_does_not_fit_the_type_is_refused() {
    let none = || json!({});
    let rows = [
        (
            "a host with a path",
            json!({"hostname": "x/y"}),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a host with a port",
            json!({"hostname": "x:1"}),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a bucket that steps up",
            json!({"bucket": ".."}),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a port that is none",
            json!({"port": "x"}),
            none(),
            SettingsFault::Connection,
        ),
        (
            "a folder that steps up",
            none(),
            json!({"folder": "../x"}),
            SettingsFault::Choice,
        ),
        (
            "a folder that begins at the root",
            none(),
            json!({"folder": "/x"}),
            SettingsFault::Choice,
        ),
        (
            "a folder without a name",
            none(),
            json!({"folder": "a//b"}),
            SettingsFault::Choice,
        ),
        (
            "an unknown choice",
            none(),
            json!({"compression": "Zip"}),
            SettingsFault::Choice,
        ),
    ];
    for (case, parameters, chosen, expected) in rows {
        let told = found(&of("s3", s3_of(parameters), chosen));
        assert_eq!(told, Err(expected), "{case}");
    }
}

#[test]
fn a_type_of_another_maker_leads_nowhere_else() {
    let lax = |parameters: Value, chosen: Value, change: &dyn Fn(&mut ConnectionTypeSpec)| {
        let (mut plan, connection) = of("s3", s3_of(parameters), chosen);
        let type_ = &mut plan.type_spec;
        for parameter in type_.parameters.iter_mut().chain(&mut type_.export_parameters) {
            parameter.pattern = None;
        }
        change(type_);
        found(&(plan, connection))
    };
    let nothing: &dyn Fn(&mut ConnectionTypeSpec) = &|_| {};
    for (name, value) in [
        ("hostname", "good.example@evil.example"),
        ("hostname", "evil.example/"),
        ("hostname", "evil.example#"),
        ("bucket", "../other"),
        ("bucket", "exports?x"),
        ("region", "us\r\nx: y"),
    ] {
        let told = lax(json!({name: value}), json!({}), nothing);
        assert_eq!(told, Err(SettingsFault::Connection), "{value}");
    }
    let told = lax(json!({}), json!({"folder": "../../x"}), nothing);
    assert_eq!(told, Err(SettingsFault::Choice));
    let (mut plan, connection) = of(
        "azure-blob-storage",
        json!({"accountName": "contoso", "container": "exports"}),
        json!({}),
    );
    plan.type_spec.endpoints.clear();
    let told = found(&(plan, connection));
    assert_eq!(told, Err(SettingsFault::Type), "hosts that nobody consented to");
}
