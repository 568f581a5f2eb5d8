//! What people are told about consent, with commands to be copied into a shell.

use super::difference::{DESTINATION_MAX, difference};
use super::{Required, Subject};
use crate::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::api::{ConsentRecordSpec, Reason};
use crate::governance::message::{capitalized, cut, listed};
use jiff::Timestamp;

/// What the commands in messages are made of.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    /// What is consented to.
    pub subject: Subject<'a>,
    /// Where its notice stands.
    pub notice: NoticeAt<'a>,
    /// Whether the API server writes the stamp; else the author of a change must.
    pub stamped: bool,
    /// Whether what it says fits its type; else the destination is bound to change.
    pub fits: bool,
    /// That its type should no longer be chosen, in sentences.
    pub deprecated: Option<&'a str>,
}

/// Where the notice stands that is agreed to.
#[derive(Clone, Copy, Debug)]
pub enum NoticeAt<'a> {
    /// In this connection type.
    Type(&'a str),
    /// Nowhere else: this is its text, as sentences.
    Told(&'a str),
}

/// Most endpoints of a type that a message names.
const HOSTS_MAX: usize = 3;

/// What people are told.
pub(super) struct Words<'a> {
    pub commands: Commands<'a>,
    pub required: &'a Required,
}

impl Words<'_> {
    fn destination(&self) -> String {
        let destination = match self.required.destination.as_slice() {
            [] => None,
            destination => Some(cut(&listed(destination), DESTINATION_MAX)),
        };
        let told: Vec<String> = destination.into_iter().chain(self.hosts()).collect();
        match told.as_slice() {
            [] => String::new(),
            told => format!(" ({})", told.join("; ")),
        }
    }

    /// The endpoints of the type, three at most, then how many more there are.
    fn hosts(&self) -> Option<String> {
        let hosts = &self.required.hosts;
        let (shown, more) = hosts.split_at(hosts.len().min(HOSTS_MAX));
        let what = if hosts.len() == 1 { "host" } else { "hosts" };
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!shown.is_empty()).then(|| format!("{what} of the type: {}{more}", shown.join(", ")))
    }

    pub fn nobody(&self) -> String {
        let (destination, agree) = (self.destination(), self.read_and_agree());
        format!("Nobody has consented to the notice for this destination{destination}. {agree}")
    }

    /// The annotation holds what can't be anybody's consent: `yes`, or a digest of which a part is missing.
    pub fn no_digest(&self) -> String {
        let (destination, agree) = (self.destination(), self.read_and_agree());
        format!(
            "The annotation {CONSENT_ANNOTATION} holds no digest, which has 64 characters of 0-9 and a-f, so it is no consent \
             to this destination{destination}. {agree}"
        )
    }

    /// What was agreed to stands on record, or else at least what was before.
    pub fn stale(&self, agreed: Option<&ConsentRecordSpec>, last: Option<&ConsentRecordSpec>) -> String {
        let (destination, agree) = (self.destination(), self.read_and_agree());
        let start = format!(
            "The consent that was given isn't for this {} as it is now{destination}",
            self.noun()
        );
        if let Some(agreed) = agreed {
            let difference = capitalized(&difference(agreed, self.required));
            return format!("{start}. {difference} {agree}");
        }
        // What is required is what was agreed to before, so that nothing has changed but the annotation.
        let unchanged = last.is_some_and(|last| last.digest == self.required.current);
        if unchanged {
            return format!(
                "{start}: its digest isn't the required one. That is still the digest of the consent that stood before: \
                 nothing has changed but the annotation {CONSENT_ANNOTATION}. {agree}"
            );
        }
        let changed = match self.commands.notice {
            NoticeAt::Type(_) => "the destination, the endpoints of the type or its notice have changed",
            NoticeAt::Told(_) => "where it is has changed",
        };
        let start = format!("{start}: it is another's, or {changed}.");
        match last {
            Some(last) => format!(
                "{start} As for the consent that stood before: {} {agree}",
                difference(last, self.required)
            ),
            None => format!("{start} {agree}"),
        }
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

    /// How to read the notice and how to agree to it, to be copied into a shell; and first, that there is a better type.
    fn read_and_agree(&self) -> String {
        if !self.commands.fits {
            return self.later();
        }
        let Commands { notice, stamped, .. } = self.commands;
        let digest = &self.required.current;
        let stamp = if stamped {
            String::new()
        } else {
            format!(" {CONSENTED_BY_ANNOTATION}=\"given {digest} {WHO_AM_I}\"")
        };
        let notice = match notice {
            NoticeAt::Type(type_) => format!(
                "To read the notice: kubectl get connectiontype {type_} -o jsonpath=\"{{range .spec.notice['recipient',\
                 'data','responsibility','howToStop','privacyStatement']}}{{@}}{{'\\n'}}{{end}}\"."
            ),
            NoticeAt::Told(text) => format!("The notice: {text}"),
        };
        let deprecated = self.commands.deprecated;
        let deprecated = deprecated.map(|text| format!("{text} ")).unwrap_or_default();
        format!(
            "{deprecated}{notice} To agree: {} --overwrite {CONSENT_ANNOTATION}={digest}{stamp}",
            self.annotate()
        )
    }

    fn take_off_first(&self) -> String {
        if !self.commands.fits {
            return self.later();
        }
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
        let Subject {
            namespace,
            name,
            kind,
        } = self.commands.subject;
        let given = format!(
            "$(kubectl get {} {name} -n {namespace} -o jsonpath='{{.metadata.annotations.connections\\.dev/consent}}')",
            kind.to_lowercase()
        );
        format!(
            "{annotate} --overwrite {CONSENTED_BY_ANNOTATION}=\"withdrawn {given} {WHO_AM_I}\" {CONSENT_ANNOTATION}-"
        )
    }

    fn annotate(&self) -> String {
        let Subject {
            namespace,
            name,
            kind,
        } = self.commands.subject;
        format!("kubectl annotate {} {name} -n {namespace}", kind.to_lowercase())
    }

    /// What is consented to, in a sentence.
    fn noun(&self) -> &'static str {
        match self.commands.notice {
            NoticeAt::Type(_) => "connection",
            NoticeAt::Told(_) => "key vault",
        }
    }

    /// Nobody is asked to agree to a destination that must change.
    fn later(&self) -> String {
        let what = match self.commands.notice {
            NoticeAt::Type(_) => {
                "what the connection says fits its type: the condition Valid tells what doesn't."
            }
            NoticeAt::Told(_) => "what the key vault says can stay: the condition Valid tells what can't.",
        };
        format!("Consent is asked for once {what}")
    }
}

/// Asks the API server whom it takes one for.
const WHO_AM_I: &str = "$(kubectl auth whoami -o jsonpath='{.status.userInfo.username}')";
