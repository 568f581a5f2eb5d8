use super::*;
use crate::fixtures::at;
use serde_json::json;

/// A connection as the API server answers.
fn connection(name: &str, changes: &Value) -> Listed {
    let mut object = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
        "metadata": {"name": name, "namespace": "marketing", "creationTimestamp": at(0).to_string(), "uid": "x"},
        "spec": {"displayName": format!("The {name}"), "type": "sftp-export", "parameters": {"hostname": "h"}},
        "status": {
            "conditions": [{"type": "Valid", "status": "True", "reason": "AsDeclared"},
                           {"type": "Ready", "status": "True", "reason": "Ready"}],
            "usedFor": "Export", "access": "Administrators", "dependents": {"exports": 2, "enrichments": 0, "total": 2},
            "consent": {"given": true, "by": "ada"},
        },
    });
    json_patch::merge(&mut object, changes);
    Listed::of(&object)
}

fn asked(arguments: &[&str]) -> List {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        flags: cluster::Flags,
        #[command(flatten)]
        list: List,
    }
    let line = ["list"].into_iter().chain(arguments.iter().copied());
    let line = <Line as clap::Parser>::try_parse_from(line).expect("a command line");
    assert_eq!(line.flags.context, None);
    line.list
}

fn page(arguments: &[&str], view: View, mut listed: Vec<Listed>) -> Result<String, ListError> {
    let asked = asked(arguments);
    asked.sort(view, &mut listed, |listed| listed)?;
    let screen = Screen::default();
    Ok(table(&asked, view, &listed, screen, at(90)).0)
}

#[test]
fn administrators_see_all_columns() {
    let new = json!({"status": null});
    let stale = json!({
        "spec": {"displayName": "Monthly"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "ConsentStale"}], "access": "Contributors",
                   "consent": {"by": null}},
    });
    let listed = vec![
        connection("sftp-partner", &json!({})),
        connection("new", &new),
        connection("monthly", &stale),
    ];
    let expected = "\
NAME           DISPLAY NAME       TYPE          USED FOR   ACCESS           READY   REASON         IN USE   AGE
monthly        Monthly            sftp-export   Export     Contributors     False   ConsentStale   2        90s
new            The new            sftp-export                                                               90s
sftp-partner   The sftp-partner   sftp-export   Export     Administrators   True    Ready          2        90s
";
    assert_eq!(
        page(&[], View::Administrator, listed.clone()).expect("a page"),
        expected
    );
    let wide = page(&["-o", "wide", "-A"], View::Administrator, listed).expect("a page");
    let head = wide.lines().next().expect("headings");
    assert!(head.starts_with("NAMESPACE   NAME"), "{head}");
    assert!(head.contains("CONSENTED BY   DELETING   AGE"), "{head}");
}

#[test]
fn contributors_see_what_is_theirs_to_know() {
    let shared = json!({
        "spec": {"usedFor": "Enrichment", "parameters": null},
        "status": {"usedFor": null, "access": null, "dependents": null, "consent": null},
    });
    let expected = "\
NAME       DISPLAY NAME   TYPE          USED FOR     READY   REASON   AGE
provider   The provider   sftp-export   Enrichment   True    Ready    90s
";
    let page = page(
        &["-o", "wide"],
        View::Contributor,
        vec![connection("provider", &shared)],
    );
    assert_eq!(page.expect("a page"), expected);
}

#[test]
fn every_column_sorts_and_equal_ones_stay_in_the_order_of_names() {
    let use_of = |total: i64| json!({"dependents": {"total": total}});
    let listed = vec![
        connection(
            "c",
            &json!({"metadata": {"creationTimestamp": at(2).to_string()}, "spec": {"displayName": "zebra", "type": "b"}, "status": use_of(10)}),
        ),
        connection(
            "a",
            &json!({"metadata": {"creationTimestamp": at(3).to_string()}, "spec": {"displayName": "Apple", "type": "b"}, "status": use_of(9)}),
        ),
        connection(
            "b",
            &json!({"spec": {"displayName": "apricot", "type": "a"}, "status": {
                "conditions": [{"type": "Ready", "status": "False", "reason": "ConsentRequired"}], "usedFor": "Enrichment",
                "access": "Contributors", "dependents": null, "consent": {"by": "Zoe"}}}),
        ),
    ];
    let rows = [
        (&["--sort-by", "name"][..], "a b c"),
        (&["--sort-by", "namespace"], "a b c"),
        (&["--sort-by", "display-name"], "a b c"),
        (&["--sort-by", "displayName", "--reverse"], "c b a"),
        (&["--sort-by", "type"], "b a c"),
        (&["--sort-by", "used-for"], "b a c"),
        (&["--sort-by", "USED FOR"], "b a c"),
        (&["--sort-by", "access"], "a c b"),
        (&["--sort-by", "ready"], "b a c"),
        (&["--sort-by", "reason"], "b a c"),
        (&["--sort-by", "in-use"], "a c b"),
        (&["--sort-by", "consented-by"], "a c b"),
        (&["--sort-by", "deleting"], "a b c"),
        (&["--sort-by", "age"], "b c a"),
        (&["--sort-by", "created"], "b c a"),
    ];
    for (arguments, expected) in rows {
        let page = page(
            &[arguments, &["--no-headers"]].concat(),
            View::Administrator,
            listed.clone(),
        );
        let names: Vec<String> = page
            .expect("a page")
            .lines()
            .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
            .collect();
        assert_eq!(names.join(" "), expected, "{arguments:?}");
    }
}

#[test]
fn an_unknown_column_is_refused_by_naming_those_there_are() {
    let error = page(&["--sort-by", "size"], View::Administrator, Vec::new()).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "There is no column \"size\" to sort by here. There are namespace, name, display-name, type, used-for, access, \
         ready, reason, in-use, consented-by, deleting, age."
    );
    assert_eq!(error.exit(), Exit::Unclear);
    let error = page(&["--sort-by", "in-use"], View::Contributor, Vec::new()).expect_err("not theirs");
    assert_eq!(
        error.to_string(),
        "There is no column \"in-use\" to sort by here. There are namespace, name, display-name, type, used-for, ready, \
         reason, age."
    );
}

#[test]
fn what_is_not_as_expected_leaves_its_column_empty() {
    assert_eq!(Listed::of(&json!({"metadata": {"name": 7}})), Listed::default());
    let odd = connection("odd", &json!({"status": {"dependents": {"total": "two"}}}));
    assert_eq!(odd.place().1, "", "what can't be read isn't half read");
}
