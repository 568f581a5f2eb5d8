//! Whatever people write by mistake, or on purpose: it is refused, or a condition says what is wrong, where, and what
//! to do; and nobody else is disturbed.

use crate::support::manifests::{connection, dataset, enrichment, export, secret, sftp, sftp_import, with};
use crate::support::{Conditioned, Kind, World, given, withdrawn};
use connection_operator::api::condition::MESSAGE_MAX;
use connection_operator::api::{ConditionType, Connection, Enrichment, Export};
use kube::ResourceExt;
use serde_json::{Map, Value, json};

/// Larger than any text that a schema allows.
const MEBIBYTE: usize = 1 << 20;

/// Waits for each object's own reason and message, then for a healthy connection beside them.
async fn each_is_told<K: Kind + Conditioned>(world: &World, rows: Vec<(&str, Value, &str, String)>) {
    let mut names = Vec::new();
    for (i, (why, mut manifest, reason, message)) in rows.into_iter().enumerate() {
        let name = format!("n{i}");
        if let Some(item) = manifest.pointer_mut("/spec/payload/0/where") {
            *item = format!("segment = '{name}'").into(); // each sends rows of its own
        }
        world
            .apply(with(manifest, &json!({"metadata": {"name": name}})))
            .await;
        names.push((why, name, reason, message));
    }
    for (why, name, reason, message) in names {
        let told = world.until_ready_says::<K>(&name, reason).await;
        assert_eq!(told.message, message, "{why}");
    }
    world.connect(sftp("healthy")).await;
    world.apply(export("healthy", "healthy")).await;
    world.until_active::<Export>("healthy").await;
}

fn with_parameters(parameters: &Value) -> Value {
    with(sftp("n"), &json!({"spec": {"parameters": parameters}}))
}

fn with_secrets(secrets: &Value) -> Value {
    with(sftp("n"), &json!({"spec": {"secrets": secrets}}))
}

const HOST: &str = "The type says of it: The server's host name or IPv4 address, without scheme and port.";

#[tokio::test]
async fn a_connection_that_does_not_fit_its_type_says_in_which_field() {
    let world = World::furnished().await;
    let row = |why, parameters: Value, message: &str| {
        (
            why,
            with_parameters(&parameters),
            "ParametersInvalid",
            message.to_owned(),
        )
    };
    let rows = vec![
        row(
            "an unknown parameter",
            json!({"hostName": "a"}),
            "spec.parameters has \"hostName\", which the type doesn't know: it knows hostname, port, folder, hostKey.",
        ),
        row(
            "the wrong pattern",
            json!({"hostname": "sftp://partner.example:22"}),
            &format!(
                "spec.parameters.hostname is \"sftp://partner.example:22\", expected another form, such as \
                 \"sftp.partner.example\". {HOST}"
            ),
        ),
        row(
            "a scheme before the host",
            json!({"hostname": "sftp://partner.example"}),
            "spec.parameters.hostname is \"sftp://partner.example\", expected it without \"sftp://\", such as \
             \"sftp.partner.example\".",
        ),
        row(
            "writing that would turn the line around",
            json!({"hostname": "a\u{202e}b"}),
            &format!(
                "spec.parameters.hostname is \"a\u{fffd}b\", expected another form, such as \
                 \"sftp.partner.example\". {HOST}"
            ),
        ),
        row(
            "a missing one",
            json!({"folder": null}),
            "spec.parameters.folder is missing: add it, such as \"/in\".",
        ),
        row(
            "no number",
            json!({"port": "ssh"}),
            "spec.parameters.port is \"ssh\", expected a whole number from 1 to 65535 without leading zeros, such as \
             \"2222\".",
        ),
    ];
    each_is_told::<Connection>(&world, rows).await;
}

#[tokio::test]
async fn secrets_that_do_not_fit_the_type_are_named() {
    let world = World::furnished().await;
    let source = |name: &str, key: &str| json!({"secretKeyRef": {"name": name, "key": key}});
    let vault = json!({"secretKeyRef": null, "keyVaultRef": {"name": "vault", "secret": "a"}});
    let import = with(
        sftp_import("n"),
        &json!({"spec": {"secrets": {"password": vault}}}),
    );
    let token = json!({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "c", "tls.key": "k"}});
    world.apply(with(secret("tls", &[]), &token)).await;
    let rows = vec![
        (
            "a name that the type doesn't know",
            with_secrets(&json!({"token": source("partner", "password")})),
            "SecretsInvalid",
            "spec.secrets has \"token\", which the type doesn't know: it knows username, password, privateKey, \
             passphrase.",
        ),
        (
            "two that stand for each other",
            with_secrets(&json!({"privateKey": source("partner", "password")})),
            "SecretsInvalid",
            "spec.secrets has more than one of password, privateKey: keep one.",
        ),
        (
            "neither of them",
            with_secrets(&json!({"password": null})),
            "SecretsInvalid",
            "spec.secrets needs one of password, privateKey: add one.",
        ),
        (
            "a vault where the type supports none",
            import,
            "SecretsInvalid",
            "spec.secrets.password comes from a key vault, which the type doesn't support: use a secretKeyRef.",
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(why, manifest, reason, message)| (why, manifest, reason, message.to_owned()));
    each_is_told::<Connection>(&world, rows.collect()).await;
    let other_type = with_secrets(&json!({"password": source("tls", "tls.key")}));
    world
        .connect(with(other_type, &json!({"metadata": {"name": "tls"}})))
        .await;
}

#[tokio::test]
async fn a_type_that_nobody_has_made_is_said_to_be_absent() {
    let world = World::furnished().await;
    let rows = vec![(
        "an unknown type",
        connection("n", "sftp", &json!({})),
        "TypeNotFound",
        "There is no connection type sftp. To see those there are: kubectl get connectiontypes. A connection's type can't \
         be edited: make another connection, or ask who owns the catalog to apply that type."
            .to_owned(),
    )];
    each_is_told::<Connection>(&world, rows).await;
}

#[tokio::test]
async fn a_schedule_that_can_not_be_kept_is_said_to_be_so() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    let row = |why, schedule: Value, message: &str| {
        let chosen = json!({"spec": {"schedule": schedule, "parameters": {"subfolder": why}}});
        let export = with(export("n", "partner"), &chosen);
        (why, export, "ScheduleInvalid", message.to_owned())
    };
    let rows = vec![
        row(
            "a day that never comes",
            json!({"cron": "0 0 31 2 *"}),
            "spec.schedule.cron is \"0 0 31 2 *\", a time that never comes: correct the day or the month.",
        ),
        row(
            "a zone that isn't there",
            json!({"cron": "0 0 * * *", "timeZone": "Europe/Bielefeld"}),
            "spec.schedule.timeZone is \"Europe/Bielefeld\", expected an IANA name in its exact spelling, such as \
             \"Europe/Berlin\".",
        ),
        row(
            "a word",
            json!({"cron": "@daily"}),
            "spec.schedule.cron is \"@daily\": expected five fields such as \"0 6 * * MON-FRI\", and no word such as \
             @daily.",
        ),
        row(
            "an hour too late",
            json!({"cron": "0 24 * * *"}),
            "spec.schedule.cron is \"0 24 * * *\": its hour is \"24\", expected * or numbers from 0 to 23; lists (1,3), \
             ranges from low to high (1-5) and steps (*/2) can be made of them.",
        ),
    ];
    each_is_told::<Export>(&world, rows).await;
    world.connect(sftp_import("provider")).await;
    world.apply(dataset("results", "Output")).await;
    let never = json!({"spec": {"schedule": {"cron": "0 0 30 2 *"}}});
    world.apply(with(enrichment("results", "provider"), &never)).await;
    world
        .until_inactive::<Enrichment>("results", "ScheduleInvalid")
        .await;
}

#[tokio::test]
async fn nobody_is_asked_to_agree_to_what_must_be_corrected_first() {
    let world = World::furnished().await;
    world.apply(with_parameters(&json!({"port": "0"}))).await;
    world
        .until_ready_says::<Connection>("n", "ParametersInvalid")
        .await;
    let connection = world.api::<Connection>().get("n").await.expect("it is there");
    let told = connection
        .condition(ConditionType::ConsentGiven)
        .expect("it is there");
    let later = "Consent is asked for once what the connection says fits its type: the condition Valid tells what doesn't.";
    assert!(told.message.ends_with(later), "{}", told.message);
    let consent = connection.status.and_then(|status| status.consent);
    assert_eq!(consent.and_then(|consent| consent.required), None);

    world.connect(with_parameters(&json!({"port": "2222"}))).await;
    let agreed = world.api::<Connection>().get("n").await.expect("it is there");
    let digest = &agreed.annotations()["connections.dev/consent"];
    // As from git: the correction and the consent to it come at once.
    let wrong = json!({"spec": {"parameters": {"port": "0"}}});
    world
        .merge::<Connection>("n", with(withdrawn(digest), &wrong))
        .await;
    world
        .until_ready_says::<Connection>("n", "ParametersInvalid")
        .await;
    let right = json!({"spec": {"parameters": {"port": "2222"}}});
    world.merge::<Connection>("n", with(given(digest), &right)).await;
    world.until_ready_says::<Connection>("n", "Ready").await;
}

#[tokio::test]
async fn consent_that_is_garbage_counts_for_nothing() {
    let world = World::furnished().await;
    let no_digest = "The annotation connections.dev/consent holds no digest, which has 64 characters of 0-9 and a-f, so it is \
                     no consent to this destination (folder \"/in\", hostname";
    let another =
        "The consent that was given isn't for this connection as it is now (folder \"/in\", hostname";
    let garbage = [
        ("a word", "yes".to_owned(), no_digest),
        ("somebody else's digest", "0".repeat(64), another),
        ("as much as fits", "x".repeat(100 << 10), no_digest),
        ("of no script", "\u{202e}\u{0000}\n".replace('\0', ""), no_digest),
    ];
    for (i, (why, consent, start)) in garbage.into_iter().enumerate() {
        let name = format!("n{i}");
        world.apply(sftp(&name)).await;
        world.merge::<Connection>(&name, given(&consent)).await;
        let told = world.until_ready_says::<Connection>(&name, "ConsentStale").await;
        assert!(told.message.starts_with(start), "{why}: {}", told.message);
    }
    world.connect(sftp("healthy")).await;
}

#[tokio::test]
async fn what_is_far_too_long_is_refused_or_cut() {
    let world = World::furnished().await;
    let long = "x".repeat(MEBIBYTE);
    let rows = [
        (
            "a name",
            with(sftp("n"), &json!({"spec": {"displayName": long}})),
            "spec.displayName: Too long",
        ),
        (
            "a value",
            with_parameters(&json!({"hostname": long})),
            "spec.parameters.hostname: Too long",
        ),
        (
            "a condition",
            with(
                export("n", "partner"),
                &json!({"spec": {"payload": [{"dataset": "customers", "where": long}]}}),
            ),
            "spec.payload[0].where: Too long",
        ),
        (
            "a consent",
            with(
                sftp("n"),
                &json!({"metadata": {"annotations": {"connections.dev/consent": long}}}),
            ),
            "metadata.annotations: Too long",
        ),
    ];
    for (why, manifest, expected) in rows {
        let refused = world.try_apply(&manifest).await.expect_err(why).to_string();
        let shown: String = refused.chars().take(400).collect();
        assert!(refused.contains(expected), "{why}: {shown}");
    }

    let many: Map<String, Value> = (0..28)
        .map(|i| (format!("n{i}"), json!("y".repeat(1024))))
        .collect();
    world.apply(with_parameters(&many.into())).await;
    let told = world
        .until_ready_says::<Connection>("n", "ParametersInvalid")
        .await;
    assert!(told.message.chars().count() <= MESSAGE_MAX as usize);
    assert!(told.message.ends_with("And 23 more."), "{}", told.message);
    world.connect(sftp("healthy")).await;
}

#[tokio::test]
async fn what_can_not_be_stored_is_refused_with_what_to_do() {
    let world = World::furnished().await;
    world.apply(sftp("partner")).await;
    let two = json!({"spec": {"secrets": {"password": {"keyVaultRef": {"name": "vault", "secret": "a"}}}}});
    let rows = [
        (
            "another type",
            with(sftp("partner"), &json!({"spec": {"type": "marketo"}})),
            "a connection's type can't change: make another connection and move its exports or enrichments to it",
        ),
        (
            "two sources for one secret",
            with(sftp("n"), &two),
            "name exactly one source: secretKeyRef or keyVaultRef",
        ),
        (
            "no name to show",
            with(sftp("n"), &json!({"spec": {"displayName": ""}})),
            "spec.displayName",
        ),
        (
            "a name too long to show",
            with(sftp("n"), &json!({"spec": {"displayName": "x".repeat(101)}})),
            "spec.displayName: Too long: may not be more than 100",
        ),
    ];
    for (why, manifest, expected) in rows {
        let refused = world.try_apply(&manifest).await.expect_err(why).to_string();
        assert!(refused.contains(expected), "{why}: {refused}");
    }
    world.consent("partner").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}
