//! What holds for every decision, whatever the facts: they settle, their messages fit, nothing secret is told to those
//! who may not know it, and no word of the vocabulary is idle.

use crate::api::connection::ConnectionStatus;
use crate::api::connection_type::UsedFor;
use crate::api::dataset::Role;
use crate::api::export::Mode;
use crate::api::names::IN_USE_FINALIZER;
use crate::api::reference::SecretSource;
use crate::api::run::{Persistence, RunOutcome};
use crate::api::{Condition, ConditionType, Reason};
use crate::connection::{self, ConnectionFacts};
use crate::connection_type::{self, ConnectionTypeFacts};
use crate::dataset::{self, DatasetFacts};
use crate::fixtures::{
    ANY_TEXT, ConnectionBuilder, DatasetBuilder, KeyVaultBuilder, NAMESPACE, Visit, absent, after_visit, at,
    catalog_type, company_vault, connection as named, dataset as table, every_fault, firmographics, found,
    marketo, ran, secret, secret_key, seen, sftp_partner, used_by, vault_secret, visit,
};
use crate::governance::activity;
use crate::governance::attachment::ConnectionSeen;
use crate::governance::connection_types::TypeSeen;
use crate::governance::datasets::{Purpose, Use};
use crate::governance::decision::{Announcement, Decision, Effect};
use crate::governance::kept::Seen;
use crate::governance::removal::Hold;
use crate::governance::run_account;
use crate::governance::runs::names::dry_run_job;
use crate::governance::runs::verdict;
use crate::key_vault::decide::Seen as Asked;
use crate::key_vault::{self, KeyVaultFacts};
use crate::vault::fault::Fault as VaultFault;
use crate::vault::sight::{Listing, Sight};
use k8s_openapi::api::core::v1::ServiceAccount;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec!["/in", "sftp.partner.example", "22", "Gzip", "12345", "", "0", "x y"]).prop_map(str::to_owned),
        1 => ANY_TEXT,
        1 => "[a-z\n\u{202e}]{1,40}".prop_map(|text| text.repeat(60)),
    ]
}

fn parameter() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        6 => proptest::sample::select(vec!["hostname", "folder", "port", "hostKey", "subfolder", "compression", "listId", "fileName"]).prop_map(str::to_owned),
        1 => ANY_TEXT,
    ];
    (name, value())
}

fn source() -> impl Strategy<Value = SecretSource> {
    prop_oneof![
        6 => Just(secret_key("partner", "username")),
        2 => Just(secret_key("partner", "absent")),
        1 => Just(secret_key("absent", "key")),
        1 => Just(vault_secret("vault", "secret")),
        1 => Just(SecretSource::default()),
    ]
}

/// A connection from the careless to the hostile, of a type that may not exist.
fn any_connection() -> impl Strategy<Value = ConnectionBuilder> {
    let base = proptest::sample::select(vec![0, 1, 2, 3]).prop_map(|which| match which {
        0 => sftp_partner(),
        1 => firmographics(),
        2 => marketo(),
        _ => named("odd").of_type("no-such-type"),
    });
    let secrets = proptest::collection::vec(
        ("(username|password|privateKey|other|(?s)[^.]{0,9})", source()),
        0..3,
    );
    let extra = (
        proptest::collection::vec(parameter(), 0..4),
        proptest::collection::vec(parameter(), 0..2),
        secrets,
    );
    let flags = proptest::array::uniform4(any::<bool>());
    let consent = (proptest::option::of(ANY_TEXT), proptest::option::of(ANY_TEXT));
    (base, extra, flags, consent).prop_map(
        |(
            mut connection,
            (given, fixed, secrets),
            [consented, suspended, held, going],
            (annotation, stamp),
        )| {
            let exists = connection.0.spec.type_.as_str() != "no-such-type";
            connection.0.spec.parameters.extend(given);
            connection.0.spec.fixed_export_parameters.extend(fixed);
            connection.0.spec.secrets.extend(secrets);
            connection.0.spec.suspend = suspended;
            if held {
                connection = connection.held();
            }
            if going {
                connection = connection.being_removed();
            }
            let connection = match annotation {
                Some(garbage) => connection.annotated(&garbage),
                None if consented && exists => connection.consented(),
                None => connection,
            };
            match stamp {
                Some(garbage) => connection.stamped(&garbage),
                None => connection,
            }
        },
    )
}

fn any_facts() -> impl Strategy<Value = ConnectionFacts> {
    let users = proptest::collection::vec("[a-z]{1,250}", 0..9);
    (any_connection(), users, any::<bool>()).prop_map(|(connection, users, there)| {
        let mut facts = connection.facts();
        facts.secrets.clear();
        if there {
            let partner = secret("7", [("username", true), ("password", false)]);
            facts.secrets.insert("partner".to_owned(), partner);
        }
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        facts.dependents = used_by(&users, &users);
        facts
    })
}

/// The same, where the type may have been edited so that it contradicts itself, before or after all was on record.
fn any_facts_of_any_type() -> impl Strategy<Value = ConnectionFacts> {
    (any_facts(), any::<bool>(), any::<bool>()).prop_map(|(facts, visited, edited)| {
        let facts = if visited { after_visit(facts) } else { facts };
        if edited && facts.type_.usable().is_some() {
            kept(facts)
        } else {
            facts
        }
    })
}

fn any_use() -> impl Strategy<Value = Use> {
    let roles = [Role::Source, Role::Output, Role::Rejects, Role::State];
    let purposes = vec![
        Purpose::Read,
        Purpose::Write(Role::Output),
        Purpose::Write(Role::Rejects),
        Purpose::Write(Role::State),
    ];
    let dataset = proptest::option::of((proptest::sample::select(roles.to_vec()), any::<bool>()));
    let taken = proptest::option::of(Just("export other".to_owned()));
    (dataset, proptest::sample::select(purposes), taken).prop_map(|(dataset, purpose, taken_by)| {
        let use_ = match dataset {
            None => absent("spec.payload", "absent", purpose),
            Some((role, true)) => table("ready")
                .of_role(role)
                .visited()
                .used("spec.payload", purpose),
            Some((role, false)) => table("raw").of_role(role).used("spec.payload", purpose),
        };
        Use { taken_by, ..use_ }
    })
}

fn any_visit() -> impl Strategy<Value = Visit> {
    let seen = prop_oneof![
        1 => Just(ConnectionSeen::Detached),
        1 => Just(ConnectionSeen::Absent("absent".to_owned())),
        8 => any_connection().prop_map(|connection| connection.visited().seen()),
    ];
    let schedule = proptest::option::of(prop_oneof![Just("0 6 * * *".to_owned()), ANY_TEXT]);
    let chosen = proptest::collection::vec(parameter(), 0..4);
    let uses = proptest::collection::vec(any_use(), 0..5);
    (seen, any::<bool>(), schedule, chosen, uses, any::<bool>()).prop_map(
        |(connection, enriches, schedule, chosen, uses, suspend)| {
            let used_for = if enriches {
                UsedFor::Enrichment
            } else {
                UsedFor::Export
            };
            let mut visit = visit(used_for);
            visit.connection = connection;
            visit.parameters.extend(chosen);
            visit.uses = uses;
            visit.suspend = suspend;
            match schedule {
                Some(cron) => visit.every(&cron),
                None => visit,
            }
        },
    )
}

fn fits(conditions: &[Condition]) -> Result<(), TestCaseError> {
    prop_assert!(conditions.len() <= 16);
    for Condition {
        type_,
        reason,
        message,
        ..
    } in conditions
    {
        prop_assert!(message.chars().count() <= 4096, "{} {}: too long", type_, reason);
        prop_assert!(
            !message.chars().any(char::is_control),
            "{} {}: {:?}",
            type_,
            reason,
            message
        );
        prop_assert!(!message.contains(".."), "{} {}: {:?}", type_, reason, message);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_connection_settles_after_one_visit(mut facts in any_facts_of_any_type(), later in 0i64..100_000) {
        let first = connection::decide(&facts);
        if first.hold == Hold::Release {
            return Ok(()); // it's gone
        }
        facts = after_visit(facts);
        facts.now = at(100 + later);
        let second = connection::decide(&facts);
        prop_assert_eq!(&second.status, &first.status);
        prop_assert_ne!(second.hold, Hold::Set);
        prop_assert_eq!(second.effects, vec![]);
        prop_assert_eq!(second.announcements, vec![]);
    }

    /// What a type said before an edit made it contradict itself counts for consent that is on record, and no other.
    #[test]
    fn a_type_that_contradicts_itself_lets_nothing_begin(facts in any_facts(), visited in any::<bool>()) {
        prop_assume!(facts.type_.usable().is_some());
        let facts = if visited { after_visit(facts) } else { facts };
        let before = connection::decide(&facts);
        let decision = connection::decide(&kept(facts.clone()));
        let works = |decision: &Decision<ConnectionStatus>| decision.status.conditions[0].reason == "Ready";
        let on_record = !facts.consent.records.is_empty();
        prop_assert!(!works(&decision) || (on_record && works(&before)));
        prop_assert!(!decision.effects.iter().any(Effect::comes_first));
    }

    #[test]
    fn an_export_or_enrichment_settles_after_one_visit(mut visit in any_visit(), later in 0i64..100_000) {
        let first = activity::decide(&visit.facts());
        visit.before = first.status.clone();
        visit.now = at(200 + later);
        let second = activity::decide(&visit.facts());
        prop_assert_eq!(second.status, first.status);
        prop_assert_eq!(second.announcements, vec![]);
    }

    #[test]
    fn every_message_about_a_connection_fits(facts in any_facts_of_any_type()) {
        let mut conditions = connection::decide(&facts).status.conditions;
        // What an author writes may hold two full stops in a row; what we write doesn't.
        for condition in &mut conditions {
            condition.message = without_quotes(&condition.message);
        }
        fits(&conditions)?;
    }

    #[test]
    fn every_message_about_an_export_or_enrichment_fits(visit in any_visit()) {
        let mut conditions = activity::decide(&visit.facts()).status.conditions;
        for condition in &mut conditions {
            condition.message = without_quotes(&condition.message);
        }
        fits(&conditions)?;
    }

    #[test]
    fn nothing_of_a_connection_but_its_name_and_type_reaches_its_users(
        mut visit in any_visit(),
        base in proptest::sample::select(vec![0, 1, 2]),
        broken in any::<bool>(),
        suspended in any::<bool>(),
    ) {
        let mut connection = [sftp_partner(), firmographics(), marketo()][base].clone();
        connection.0.spec.suspend = suspended;
        for value in connection.0.spec.parameters.values_mut() {
            value.insert_str(0, "Q7Q");
        }
        for name in ["subfolder", "listId", "fileName", "compression"] {
            connection = connection.fixing(name, "Q7Q/../x");
        }
        connection.0.spec.display_name = "Q7Q".to_owned();
        connection = connection.secret("username", "Q7Q", "Q7Q");
        if !broken {
            connection = connection.consented();
        }
        visit = visit.over(&connection.visited());
        let decision = activity::decide(&visit.facts());
        let told = serde_json::to_string(&decision.status).expect("a status can be written");
        prop_assert!(!told.contains("Q7Q"), "{}", told);
    }

    #[test]
    fn only_what_is_ready_is_active(visit in any_visit()) {
        let status = activity::decide(&visit.facts()).status;
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready").expect("always there");
        let active = status.state == Some(crate::api::export::State::Active);
        prop_assert_eq!(active, ready.reason == "Ready");
        let runs = matches!(&visit.connection, ConnectionSeen::Present { connection, .. } if !connection.spec.suspend);
        prop_assert!(!active || runs);
    }
}

/// The message without what it quotes.
fn without_quotes(message: &str) -> String {
    message.split('"').step_by(2).collect()
}

fn reasons(conditions: &[Condition]) -> impl Iterator<Item = String> {
    conditions.iter().map(|condition| condition.reason.clone())
}

fn connections_of_all_fates() -> Vec<ConnectionFacts> {
    let with = |connection: ConnectionBuilder, edit: fn(&mut ConnectionFacts)| {
        let mut facts = connection.facts();
        edit(&mut facts);
        facts
    };
    let good = || sftp_partner().consented();
    let mut forewarned = catalog_type("sftp-export");
    let notice = serde_json::to_value(&forewarned.spec.notice).expect("it can be written");
    let mut previous = notice.clone();
    previous["until"] = "2999-01-01T00:00:00Z".into();
    let mut current = notice;
    current["version"] = "2".into();
    current["previous"] = previous;
    forewarned.spec.notice = serde_json::from_value(current).expect("it can be read");
    let mut agreed_before = good().facts();
    agreed_before.type_ = seen(&forewarned);
    vec![
        agreed_before,
        good().facts(),
        sftp_partner().facts(),
        good().suspended().facts(),
        good().annotated("garbage").facts(),
        good().stamped("").facts(),
        sftp_partner().stamped("withdrawn x ada").facts(),
        good().with("port", "x").facts(),
        good().secret("other", "partner", "x").facts(),
        good().source("username", vault_secret("v", "s")).facts(),
        with(good(), |facts| facts.secrets.clear()),
        with(good(), |facts| {
            facts
                .secrets
                .insert("partner".into(), secret("7", [("username", true)]));
        }),
        with(good(), |facts| {
            facts.secrets.insert(
                "partner".into(),
                secret("7", [("username", false), ("password", true)]),
            );
        }),
        with(good(), |facts| {
            let mut token = (*secret("7", [("username", true)])).clone();
            "kubernetes.io/service-account-token".clone_into(&mut token.type_);
            facts.secrets.insert("partner".into(), Arc::new(token));
        }),
        with(good(), |facts| facts.type_ = TypeSeen::Absent),
        kept(after_visit(good().facts())),
        with(good(), |facts| facts.type_ = TypeSeen::Invalid(Arc::default())),
        with(good().held().being_removed(), |facts| {
            facts.dependents = used_by(&["nightly"], &[]);
        }),
        good().being_removed().facts(),
    ]
}

fn visits_of_all_fates() -> Vec<Visit> {
    let good = || visit(UsedFor::Export).over(&sftp_partner().consented().visited());
    let state = table("state").of_role(Role::State).visited();
    let mut taken = good().using(state.used("spec.state", Purpose::Write(Role::State)));
    taken.uses[1].taken_by = Some("export other".to_owned());
    let advertiser = "ABCDEFGHIJKLMNOP123456";
    let people = |members| {
        let people = table("people").holding("mail", "email").of_members(members);
        people.visited()
    };
    let sending = |type_: &str, dataset: DatasetBuilder| {
        let mut visit = visit(UsedFor::Export).over(&named("any").of_type(type_).visited());
        visit.uses = vec![dataset.visited().used("spec.payload", Purpose::Read)];
        visit
    };
    let mut deprecated = good();
    let mut type_ = catalog_type("sftp-export");
    type_.spec.deprecated = catalog_type("sendinblue").spec.deprecated;
    deprecated.connection = ConnectionSeen::Present {
        connection: Arc::new(sftp_partner().consented().visited().0),
        type_: seen(&type_),
    };
    let mut lost = good();
    lost.connection = ConnectionSeen::Absent("absent".to_owned());
    vec![
        good().every("0 6 * * *"),
        visit(UsedFor::Export),
        lost,
        taken,
        good().every("@daily"),
        good().without_connectors(),
        good().over(&sftp_partner()),
        good().over(&sftp_partner().consented().visited().being_removed()),
        good().over(&firmographics().consented().visited()),
        good().using(state.used("spec.payload", Purpose::Read)),
        good().using(absent("spec.payload", "absent", Purpose::Read)),
        good().using(table("raw").used("spec.payload", Purpose::Read)),
        good().using(table("old").being_removed().used("spec.payload", Purpose::Read)),
        good().doubling(1, "older"),
        sending("marketo", table("nobody")).choosing("listId", "1"),
        sending("adroll", people(99)).choosing("advertiserId", advertiser),
        sending("adroll", people(250_001)).choosing("advertiserId", advertiser),
        sending("adobe-campaign-standard", people(1)).using(people(1).used("spec.payload", Purpose::Read)),
        deprecated,
    ]
    .into_iter()
    .chain(visits_with_runs())
    .collect()
}

/// Exports that have run, or were asked to.
fn visits_with_runs() -> Vec<Visit> {
    let connection = sftp_partner().consented().visited();
    let good = || visit(UsedFor::Export).over(&connection);
    let ended = |outcome, persistence| {
        let mut visit = good();
        let mut job = ran(10, Some(outcome), persistence);
        job.basis = Some(verdict::basis(Some(1), &connection.0, &visit.uses));
        visit.runs.jobs = vec![job];
        visit
    };
    let requested = |mut visit: Visit, value: &str| {
        visit.runs.requested = Some(value.to_owned());
        visit
    };
    let now = at(200).to_string();
    let mut incremental = good();
    incremental.runs.mode = Some(Mode::Incremental);
    let mut running = good();
    running.runs.jobs = vec![ran(10, None, None)];
    vec![
        ended(RunOutcome::Succeeded, None),
        ended(RunOutcome::Stopped, None),
        ended(RunOutcome::Failed, Some(Persistence::Transient)),
        ended(RunOutcome::Failed, Some(Persistence::Permanent)),
        requested(good(), &now),
        requested(good().suspended(), &now),
        requested(running, &now),
        requested(good(), "2020-01-01T00:00:00Z"),
        requested(good(), "soon"),
        incremental,
    ]
}

/// As it is while its type contradicts itself since an edit.
fn kept(mut facts: ConnectionFacts) -> ConnectionFacts {
    let before = facts.type_.usable().expect("it fits together").clone();
    facts.type_ = TypeSeen::Kept(Arc::new(vec!["Somewhere.".to_owned()]), before);
    facts
}

/// The conditions of SharedConnections, and of a connection that is called as another.
fn shared_connections_of_all_fates() -> Vec<Condition> {
    let shared = after_visit(sftp_partner().consented().shared().facts());
    let removed = ConnectionBuilder((*shared.connection).clone()).being_removed();
    let mut going = shared.clone();
    going.connection = Arc::new(removed.0);
    going.dependents = used_by(&["nightly"], &[]);
    let mut waiting = shared.clone();
    waiting.sharing.connected = false;
    let mut namesake = shared;
    namesake.sharing.namesakes = vec!["other".to_owned()];
    let valid = connection::decide(&namesake).status.conditions;
    let fates = [going, waiting].map(|facts| match after_visit(facts).sharing.shared {
        Seen::Present(shared) => shared.status.clone().unwrap_or_default().conditions,
        Seen::Absent | Seen::Pending => Vec::new(),
    });
    fates.concat().into_iter().chain(valid).collect()
}

/// What key vaults say, and a dataset that names one.
fn conditions_about_key_vaults() -> Vec<Condition> {
    let vaults = [
        company_vault(),
        company_vault().consented(),
        company_vault().by_the_node(),
        company_vault().by_run_account(),
    ];
    let mut vaults: Vec<_> = vaults.iter().map(KeyVaultBuilder::facts).collect();
    for account in [run_account::account(NAMESPACE), ServiceAccount::default()] {
        let mut facts = company_vault().by_run_account().facts();
        facts.run_account.account = Seen::Present(Arc::new(account));
        vaults.push(facts);
    }
    vaults.extend(key_vaults_asked());
    let of_vaults = vaults
        .iter()
        .flat_map(|facts| key_vault::decide(facts).status.conditions);
    let named = [company_vault(), company_vault().ready().deleting()].into_iter();
    let of_users = named.flat_map(|vault| dataset::decide(&vaulted(vault, None)).status.conditions);
    of_vaults
        .chain(of_users)
        .chain(conditions_about_answers())
        .collect()
}

/// Key vaults that were asked, or whose credentials can't be used.
fn key_vaults_asked() -> Vec<KeyVaultFacts> {
    let answered = |denied: Option<VaultFault>| {
        let mut sight = Sight::default();
        let listing = Listing {
            denied: denied.map(Box::new),
            ..Listing::default()
        };
        sight.take_in(Ok(listing), at(10));
        Asked::Asked(sight)
    };
    let unusable = |reason| Asked::Unusable(reason, "It can't be read.".to_owned());
    let seen = [
        answered(None),
        answered(every_fault().pop()),
        unusable(Reason::CaBundleInvalid),
        unusable(Reason::CredentialInvalid),
    ];
    let facts = seen.map(|seen| KeyVaultFacts {
        seen,
        ..company_vault().consented().facts()
    });
    facts.into()
}

/// What is told of a dataset's credential by what a vault answers.
fn conditions_about_answers() -> Vec<Condition> {
    let faults = every_fault().into_iter().map(|fault| {
        let mut sight = Sight::default();
        sight.take_in(Err(fault), at(10));
        sight
    });
    let sights = faults.chain([found("7", Some(at(1000)))]);
    sights
        .flat_map(|sight| {
            dataset::decide(&vaulted(company_vault().ready(), Some(sight)))
                .status
                .conditions
        })
        .collect()
}

/// A dataset that names a secret in the key vault.
fn vaulted(vault: KeyVaultBuilder, sight: Option<Sight>) -> DatasetFacts {
    let mut facts = table("vaulted")
        .sourced("key", vault_secret("company-vault", "lake"))
        .facts();
    facts.vaults.linked = [("company-vault".to_owned(), Arc::new(vault.0))].into();
    facts.vaults.sights = sight.into_iter().map(|sight| ("key".to_owned(), sight)).collect();
    facts
}

/// A visit that finds another version in a vault than the one before.
fn rotation() -> Vec<Announcement> {
    let mut facts = vaulted(company_vault().ready(), Some(found("7", None)));
    let mut object = (*facts.dataset).clone();
    object.status = Some(dataset::decide(&facts).status);
    facts.dataset = Arc::new(object);
    assert_eq!(
        dataset::decide(&facts).announcements,
        [],
        "the same version is no news"
    );
    facts.vaults.sights = [("key".to_owned(), found("8", None))].into();
    dataset::decide(&facts).announcements
}

/// What is told once a dry run has ended.
fn dry_runs() -> Vec<Announcement> {
    let ended = [RunOutcome::Succeeded, RunOutcome::Failed].map(|outcome| {
        let mut visit = visit(UsedFor::Export).over(&sftp_partner().consented().visited());
        let request = at(200).to_string();
        let mut job = ran(10, Some(outcome), None);
        job.name = dry_run_job("Export", ("nightly", &visit.runs.uid), &request);
        visit.runs.dry_run_jobs = vec![job];
        visit.runs.dry_run_requested = Some(request);
        activity::decide(&visit.facts()).announcements
    });
    ended.into_iter().flatten().collect()
}

#[test]
fn every_reason_and_condition_type_is_given_by_some_decision() {
    let mut broken = catalog_type("sftp-export");
    broken.spec.parameters[0].pattern = Some("[".to_owned());
    let broken = ConnectionTypeFacts {
        seen: seen(&broken),
        connectors: Arc::new(crate::fixtures::connectors()),
        in_use: false,
        replacement: None,
        now: at(0),
        type_: Arc::new(broken),
    };
    let conditions: Vec<Condition> = connections_of_all_fates()
        .iter()
        .flat_map(|facts| connection::decide(facts).status.conditions)
        .chain(
            visits_of_all_fates()
                .iter()
                .flat_map(|visit| activity::decide(&visit.facts()).status.conditions),
        )
        .chain(shared_connections_of_all_fates())
        .chain(dataset::decide(&table("plain").facts()).status.conditions)
        .chain(connection_type::decide(&broken).status.conditions)
        .chain(conditions_about_key_vaults())
        .collect();
    let news = rotation().into_iter().chain(dry_runs());
    let news = news.map(|news| news.reason.to_string());
    let given: BTreeSet<String> = reasons(&conditions).chain(news).collect();
    let documented: BTreeSet<String> = Reason::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(given, documented);
    let given: BTreeSet<&str> = conditions
        .iter()
        .map(|condition| condition.type_.as_str())
        .collect();
    let documented: BTreeSet<&str> = ConditionType::ALL.iter().map(|type_| type_.as_str()).collect();
    assert_eq!(given, documented);
}

#[test]
fn a_dataset_settles_after_one_visit() {
    let mut facts: DatasetFacts = table("lake").credential("key", "lake", "key").facts();
    let first = dataset::decide(&facts);
    let mut object = (*facts.dataset).clone();
    object.metadata.finalizers = Some(vec![IN_USE_FINALIZER.to_owned()]);
    object.status = Some(first.status.clone());
    facts.dataset = Arc::new(object);
    facts.now = at(5000);
    let second = dataset::decide(&facts);
    assert_eq!((second.status, second.hold), (first.status, Hold::Keep));
}
