//! What people are told about consent, with commands to be copied into a shell.

use super::{Required, Subject};
use crate::api::Reason;
use crate::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::governance::message::listed;
use jiff::Timestamp;

/// What the commands in messages are made of.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    /// What is consented to.
    pub subject: Subject<'a>,
    /// Its type.
    pub type_: &'a str,
    /// Whether the API server writes the stamp; else the author of a change must.
    pub stamped: bool,
}

/// What people are told.
pub(super) struct Words<'a> {
    pub commands: Commands<'a>,
    pub required: &'a Required,
}

impl Words<'_> {
    fn destination(&self) -> String {
        match self.required.destination.as_slice() {
            [] => String::new(),
            destination => format!(" ({})", listed(destination)),
        }
    }

    pub fn nobody(&self) -> String {
        let (destination, agree) = (self.destination(), self.read_and_agree());
        format!("Nobody has consented to the notice for this destination{destination}. {agree}")
    }

    pub fn stale(&self) -> String {
        let (destination, agree) = (self.destination(), self.read_and_agree());
        format!(
            "The consent that was given isn't for this connection as it is now{destination}: it is another's, or the \
             destination, the endpoints of the type or its notice have changed. {agree}"
        )
    }

    /// A pipeline may have put the annotation back; then it must go first, so that who gives it anew is known.
    pub fn withdrawn(&self, annotated: bool) -> String {
        let destination = self.destination();
        let next = if annotated {
            format!(
                "A pipeline has set it again, which counts for nothing. {}",
                self.take_off_first()
            )
        } else {
            self.read_and_agree()
        };
        format!("Consent for this destination{destination} was withdrawn. {next}")
    }

    pub fn unproven(&self) -> String {
        let policies = if self.commands.stamped {
            "validatingadmissionpolicies,validatingadmissionpolicybindings,mutatingadmissionpolicies,\
             mutatingadmissionpolicybindings"
        } else {
            "validatingadmissionpolicies,validatingadmissionpolicybindings"
        };
        format!(
            "There is a consent, but when it was first seen nothing vouched for who gave it: one of the chart's admission \
             policies, or its binding, may have been missing, or changed within \
             the last seconds. A cluster administrator can see whether all are there now: \
             kubectl get {policies}. {}",
            self.take_off_first()
        )
    }

    pub fn given(&self, until: Option<Timestamp>) -> (Reason, String) {
        match until {
            None => (
                Reason::ConsentCurrent,
                "Consent stands for this destination and the current notice.".to_owned(),
            ),
            Some(until) => (
                Reason::ConsentToPreviousNotice,
                format!(
                    "The notice has changed. Consent to the one before counts until {until}. {}",
                    self.read_and_agree()
                ),
            ),
        }
    }

    /// How to read the notice and how to agree to it, to be copied into a shell.
    fn read_and_agree(&self) -> String {
        let Commands { type_, stamped, .. } = self.commands;
        let digest = &self.required.current;
        let stamp = if stamped {
            String::new()
        } else {
            format!(" {CONSENTED_BY_ANNOTATION}=\"given {digest} {WHO_AM_I}\"")
        };
        format!(
            "To read the notice: kubectl get connectiontype {type_} -o jsonpath=\"{{range .spec.notice['recipient',\
             'data','responsibility','howToStop','privacyStatement']}}{{@}}{{'\\n'}}{{end}}\". To agree: {} --overwrite \
             {CONSENT_ANNOTATION}={digest}{stamp}",
            self.annotate()
        )
    }

    fn take_off_first(&self) -> String {
        format!(
            "To give it anew, first take it off (this message then prints how to consent): {}",
            self.take_off()
        )
    }

    fn take_off(&self) -> String {
        let annotate = self.annotate();
        if self.commands.stamped {
            return format!("{annotate} {CONSENT_ANNOTATION}-");
        }
        let Subject { namespace, name, .. } = self.commands.subject;
        let given = format!(
            "$(kubectl get connection {name} -n {namespace} -o jsonpath='{{.metadata.annotations.connections\\.dev/consent}}')"
        );
        format!(
            "{annotate} --overwrite {CONSENTED_BY_ANNOTATION}=\"withdrawn {given} {WHO_AM_I}\" {CONSENT_ANNOTATION}-"
        )
    }

    fn annotate(&self) -> String {
        let Subject { namespace, name, .. } = self.commands.subject;
        format!("kubectl annotate connection {name} -n {namespace}")
    }
}

/// Asks the API server whom it takes one for.
const WHO_AM_I: &str = "$(kubectl auth whoami -o jsonpath='{.status.userInfo.username}')";
