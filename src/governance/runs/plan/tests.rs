use super::*;
use crate::fixtures::{Runs, catalog_type, dataset, sftp_partner};
use crate::governance::datasets::Purpose;
use crate::governance::runs::workload;
use k8s_openapi::api::batch::v1::CronJob;
use proptest::prelude::*;

proptest! {
    /// ConfigMaps are read by more people than connections.
    #[test]
    fn no_plan_holds_a_parameter_account_or_reference_of_the_connection(
        host in "[a-z]{8,12}\\.secret", folder in "/[a-z]{9,14}", secret in "[a-z]{9,14}", key in "[a-z]{9,14}",
    ) {
        let connection = sftp_partner()
            .with("hostname", &host)
            .with("folder", &folder)
            .secret("username", &secret, &key)
            .secret("password", &secret, "password")
            .consented()
            .visited();
        let runs = Runs::default();
        let type_ = catalog_type("sftp-export");
        let type_ = CompiledType::compile("sftp-export", &type_.spec).expect("it is sound");
        let uses = [dataset("customers").visited().used("spec.payload", Purpose::Read)];
        let parameters = crate::fixtures::parameters([("compression", "Gzip")]);
        let facts = runs.facts();
        let planned = plan(&facts, (&connection.0, &type_), &uses, &parameters).expect("all is there");
        let text_of = written(&planned).expect("JSON");
        let text = serde_json::to_string(&config_map(&facts, &text_of)).expect("JSON");
        for canary in [&host, &folder, &secret, &key] {
            prop_assert!(!text.contains(canary.as_str()), "{canary} stands in {text}");
        }
        prop_assert_eq!(names::hash(text_of.text.as_bytes()), text_of.hash);
    }

    #[test]
    fn names_fit_whatever_the_exports_name(name in "[a-z0-9][-a-z0-9.]{0,251}", request in ".{0,64}") {
        let cron_job = names::cron_job("Export", &name);
        prop_assert!(cron_job.len() <= names::CRON_JOB_NAME_MAX);
        prop_assert!(names::requested_job("Export", &name, &request).len() <= 63);
        prop_assert!(workload::is_in_form(&CronJob::default(), &CronJob::default()));
    }
}
