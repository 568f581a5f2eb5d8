use super::*;
use crate::api::names::CONTRIBUTOR_ROLE;
use crate::cluster::objects::{Feed, Seen};
use crate::fixtures::{ConnectionBuilder, NAMESPACE, connection, sftp_partner};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef};
use kube::runtime::watcher::Event;
use std::sync::Arc;

fn connections(all: &[ConnectionBuilder]) -> Objects<Connection> {
    let mut feed = Feed::default();
    feed.apply(&Seen::Event(Event::Init));
    for built in all {
        feed.apply(&Seen::Event(Event::InitApply(built.0.clone())));
    }
    feed.apply(&Seen::Event(Event::InitDone));
    feed.objects()
}

fn elsewhere(mut built: ConnectionBuilder) -> ConnectionBuilder {
    built.0.metadata.namespace = Some("other".to_owned());
    built
}

fn group(name: &str) -> Subject {
    Subject {
        kind: "Group".to_owned(),
        name: name.to_owned(),
        ..Subject::default()
    }
}

fn to(role: &str) -> RoleRef {
    RoleRef {
        kind: "ClusterRole".to_owned(),
        name: role.to_owned(),
        ..RoleRef::default()
    }
}

fn binding(role: &str, groups: &[&str]) -> Arc<RoleBinding> {
    let mut binding = RoleBinding {
        role_ref: to(role),
        subjects: Some(groups.iter().map(|name| group(name)).collect()),
        ..RoleBinding::default()
    };
    binding.metadata.namespace = Some(NAMESPACE.to_owned());
    Arc::new(binding)
}

fn names(keys: &[ObjectKey]) -> Vec<&str> {
    let mut names: Vec<&str> = keys.iter().map(|key| &*key.name).collect();
    names.sort_unstable();
    names
}

#[test]
fn other_contributors_wake_the_connections_of_their_namespace() {
    let all = connections(&[sftp_partner(), connection("b"), elsewhere(connection("far"))]);
    let here = ["b", "sftp-partner"].as_slice();
    let bound = |role: &str, groups: &[&str]| Some(binding(role, groups));
    let crm = || bound(CONTRIBUTOR_ROLE, &["crm"]);
    let rows: [(&str, _, _, &[&str]); 6] = [
        ("the first", None, crm(), here),
        ("one more", crm(), bound(CONTRIBUTOR_ROLE, &["crm", "web"]), here),
        ("the last", crm(), None, here),
        ("as before", crm(), crm(), &[]),
        (
            "made anew with another role",
            crm(),
            bound("view", &["crm"]),
            here,
        ),
        ("another role", None, bound("view", &["crm"]), &[]),
    ];
    for (case, before, after, expected) in rows {
        let woken = woken_by_contributors(&Change { before, after }, &all);
        assert_eq!(names(&woken), expected, "{case}");
    }
    let everywhere = ClusterRoleBinding {
        role_ref: to(CONTRIBUTOR_ROLE),
        ..ClusterRoleBinding::default()
    };
    let change = Change {
        before: None,
        after: Some(Arc::new(everywhere)),
    };
    let woken = woken_by_contributors(&change, &all);
    assert_eq!(names(&woken), ["b", "far", "sftp-partner"], "everywhere");
}

#[test]
fn a_binding_that_lets_everyone_in_is_told_of_when_it_begins_to() {
    let bound = |role: &str, groups: &[&str]| Some(binding(role, groups));
    let everyone = ["system:authenticated"].as_slice();
    let more = ["crm", "system:authenticated"].as_slice();
    let rows = [
        ("made so", None, bound(CONTRIBUTOR_ROLE, everyone), true),
        (
            "changed to",
            bound(CONTRIBUTOR_ROLE, &["crm"]),
            bound(CONTRIBUTOR_ROLE, more),
            true,
        ),
        (
            "so before",
            bound(CONTRIBUTOR_ROLE, everyone),
            bound(CONTRIBUTOR_ROLE, more),
            false,
        ),
        (
            "no longer",
            bound(CONTRIBUTOR_ROLE, everyone),
            bound(CONTRIBUTOR_ROLE, &["crm"]),
            false,
        ),
        ("another role", None, bound("view", everyone), false),
        ("gone", bound(CONTRIBUTOR_ROLE, everyone), None, false),
    ];
    for (case, before, after, expected) in rows {
        let told = told_of_contributors(&Change { before, after });
        assert_eq!(
            told.map(|notice| notice.reason).as_deref(),
            expected.then_some("ContributorRefused"),
            "{case}"
        );
    }
}

#[test]
fn those_that_contributors_see_under_one_name_wake_each_other() {
    let called = |name: &str, display_name: &str| {
        let mut built = sftp_partner().shared().visited();
        built.0.metadata.name = Some(name.to_owned());
        built.0.spec.display_name = display_name.to_owned();
        built
    };
    let private = |name: &str| {
        let mut built = sftp_partner().visited();
        built.0.metadata.name = Some(name.to_owned());
        built.0.spec.display_name = "Drop".to_owned();
        built
    };
    let all = connections(&[
        called("a", "Drop"),
        called("c", "Pickup"),
        elsewhere(called("d", "Drop")),
    ]);
    let side = |built: ConnectionBuilder| Some(Arc::new(built.0));
    let rows: [(&str, _, _, &[&str]); 6] = [
        ("shared from the start", None, side(called("b", "Drop")), &["a"]),
        ("shared", side(private("b")), side(called("b", "Drop")), &["a"]),
        ("un-shared", side(called("b", "Drop")), side(private("b")), &["a"]),
        (
            "renamed",
            side(called("b", "Drop")),
            side(called("b", "Pickup")),
            &["a", "c"],
        ),
        (
            "being removed",
            side(called("b", "Drop")),
            side(called("b", "Drop").being_removed()),
            &["a"],
        ),
        ("private", None, side(private("b")), &[]),
    ];
    for (case, before, after, expected) in rows {
        let woken = woken_by_namesake(&Change { before, after }, &all);
        assert_eq!(names(&woken), expected, "{case}");
    }
}

#[test]
fn what_is_kept_wakes_its_connection() {
    let mut role = k8s_openapi::api::rbac::v1::Role::default();
    role.metadata.namespace = Some(NAMESPACE.to_owned());
    role.metadata.name = Some("connections-use-sftp-partner".to_owned());
    let change = Change {
        before: Some(Arc::new(role)),
        after: None,
    };
    assert_eq!(
        woken_by_kept(&change),
        [ObjectKey::new(NAMESPACE, "sftp-partner")]
    );
}
