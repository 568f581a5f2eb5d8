use super::*;
use crate::fixtures::catalog_type;
use crate::governance::parameters::CompiledType;
use crate::plugin::prompt::{Nobody, Scripted};

#[test]
fn a_payload_is_said_by_flags() {
    let strings = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    let payload = |datasets: &[&str], rows: &[&str]| export::payload(&strings(datasets), &strings(rows));
    let items = payload(
        &["customers=email, country", "orders"],
        &["customers=country = 'FR'"],
    )
    .expect("a payload");
    let items = serde_json::to_value(items).expect("JSON");
    assert_eq!(
        items,
        serde_json::json!([
            {"dataset": "customers", "columns": ["email", "country"], "where": "country = 'FR'"},
            {"dataset": "orders"},
        ])
    );
    let told = payload(&["orders"], &["customers=x"])
        .expect_err("not named")
        .to_string();
    assert_eq!(
        told,
        "--where is about \"customers\", which no --dataset names: name it there too."
    );
    assert!(payload(&["orders"], &["orders"]).is_err());
}

#[test]
fn a_schedule_is_looked_at_before_it_is_written() {
    assert_eq!(schedule(" ", None), Ok(None));
    assert!(
        schedule("0 6 * * *", Some("Europe/Berlin"))
            .expect("it fits")
            .is_some()
    );
    let told = schedule("0 25 * * *", None).expect_err("no hour").to_string();
    assert!(told.starts_with("spec.schedule.cron is \"0 25 * * *\""), "{told}");
    assert!(schedule("0 6 * * *", Some("Mars")).is_err());
}

#[test]
fn what_a_type_lets_choose_is_asked_for_and_looked_at() {
    let marketo = catalog_type("marketo");
    let type_ = CompiledType::compile("marketo", &marketo.spec).expect("it fits together");
    let mut chosen = Chosen::default();
    let prompt = Scripted::new(&["ST12345A7", "12345"]);
    ask::parameters(&mut chosen, &prompt, &type_, true).expect("answers");
    assert_eq!(chosen.parameters["listId"], "12345", "digits only");

    let told = ask::parameters(&mut Chosen::default(), &Nobody, &type_, false)
        .expect_err("nobody")
        .told;
    assert!(told.ends_with("Answer it by --set listId=VALUE."), "{told}");
    let mut wrong = Chosen::default();
    wrong.parameters.insert("listId".to_owned(), "x".to_owned());
    let told = ask::parameters(&mut wrong, &Nobody, &type_, false)
        .expect_err("no digits")
        .told;
    assert!(told.starts_with("spec.parameters.listId is \"x\""), "{told}");
}

#[test]
fn a_mapping_is_read() {
    let read = |text: &str| enrich::read(text).map(|pairs| serde_json::to_value(pairs).expect("JSON"));
    assert_eq!(
        read("email=mail, phone = mobile"),
        Ok(serde_json::json!({"email": "mail", "phone": "mobile"}))
    );
    assert_eq!(read(""), Ok(serde_json::json!({})));
    assert!(read("email").is_err());
}
