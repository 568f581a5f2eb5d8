//! What may stand where somebody types, by the command line itself.

use clap::{Arg, Command};

/// What is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offers {
    /// These.
    Known(Vec<String>),
    /// Names out of the cluster.
    Live(Live),
    /// Files, by the shell.
    Files,
}

/// Which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Connections, or those that are shared.
    Connections,
    /// Connection types.
    Types,
    /// Exports.
    Exports,
    /// Enrichments.
    Enrichments,
    /// Links to vaults.
    KeyVaults,
    /// Datasets.
    Datasets,
    /// Namespaces.
    Namespaces,
}

/// The values of flags that have few or live ones.
const VALUES: [(&str, Offered); 9] = [
    ("namespace", Offered::Live(Live::Namespaces)),
    ("connection", Offered::Live(Live::Connections)),
    ("dataset", Offered::Live(Live::Datasets)),
    ("input", Offered::Live(Live::Datasets)),
    ("output_dataset", Offered::Live(Live::Datasets)),
    ("state", Offered::Live(Live::Datasets)),
    ("rejects", Offered::Live(Live::Datasets)),
    (
        "sort_by",
        Offered::Words(&[
            "name",
            "display-name",
            "type",
            "used-for",
            "access",
            "ready",
            "reason",
            "in-use",
            "age",
        ]),
    ),
    (
        "output",
        Offered::Words(&["wide", "json", "yaml", "name", "jsonpath="]),
    ),
];

/// What stands after a command.
const PLACES: [(&str, Live); 18] = [
    ("describe", Live::Connections),
    ("consent", Live::Connections),
    ("withdraw", Live::Connections),
    ("share", Live::Connections),
    ("unshare", Live::Connections),
    ("suspend", Live::Connections),
    ("resume", Live::Connections),
    ("remove", Live::Connections),
    ("edit", Live::Connections),
    ("attach", Live::Exports),
    ("detach", Live::Exports),
    ("run", Live::Exports),
    ("runs", Live::Exports),
    ("logs", Live::Exports),
    ("activate", Live::Enrichments),
    ("deactivate", Live::Enrichments),
    ("unlink", Live::KeyVaults),
    ("add", Live::Types),
];

#[derive(Clone, Copy)]
enum Offered {
    Words(&'static [&'static str]),
    Live(Live),
}

impl From<Offered> for Offers {
    fn from(offered: Offered) -> Self {
        match offered {
            Offered::Words(words) => Self::Known(words.iter().map(|&word| word.to_owned()).collect()),
            Offered::Live(live) => Self::Live(live),
        }
    }
}

/// Whether a flag's value is the next word.
fn takes_next(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// What may stand after these words, where the last one is begun like this.
#[must_use]
pub fn offers(command: &Command, words: &[String], begun: &str) -> Offers {
    let mut at = command;
    let mut globals: Vec<&Arg> = command.get_arguments().collect();
    let mut places = 0;
    let mut open: Option<&Arg> = None;
    for word in words {
        if open.take().is_some() {
            continue;
        }
        if word.starts_with('-') {
            open = flag(&globals, at, word).filter(|arg| takes_next(arg) && !word.contains('='));
        } else if let Some(below) = at.find_subcommand(word).filter(|_| at.has_subcommands()) {
            at = below;
            places = 0;
            globals.extend(at.get_arguments().filter(|arg| arg.is_global_set()));
        } else {
            places += 1;
        }
    }
    if let Some(arg) = open {
        return value(arg);
    }
    if begun.starts_with('-') {
        let flags = globals.iter().copied().chain(at.get_arguments());
        return Offers::Known(
            flags
                .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
                .collect(),
        );
    }
    if at.has_subcommands() {
        let names = at.get_subcommands().filter(|below| !below.is_hide_set());
        return Offers::Known(names.map(|below| below.get_name().to_owned()).collect());
    }
    positional(at, places)
}

fn flag<'a>(globals: &[&'a Arg], at: &'a Command, word: &str) -> Option<&'a Arg> {
    let mut all = globals.iter().copied().chain(at.get_arguments());
    let long = word
        .strip_prefix("--")
        .map(|name| name.split('=').next().unwrap_or_default());
    let short = word.strip_prefix('-').and_then(|name| name.chars().next());
    all.find(|arg| match long {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short() == short,
    })
}

fn value(arg: &Arg) -> Offers {
    let id = arg.get_id().as_str();
    if let Some((_, offered)) = VALUES.iter().find(|(name, _)| *name == id) {
        return (*offered).into();
    }
    let possible = arg.get_possible_values();
    if possible.is_empty() {
        return Offers::Files;
    }
    Offers::Known(possible.iter().map(|value| value.get_name().to_owned()).collect())
}

fn positional(at: &Command, places: usize) -> Offers {
    let possible = at.get_positionals().nth(places).map(value);
    match possible {
        Some(Offers::Known(known)) => Offers::Known(known),
        _ if places > 0 => Offers::Known(Vec::new()),
        _ => {
            let live = PLACES.iter().find(|(name, _)| *name == at.get_name());
            // `vault list` names one, `list` of connections none.
            let vaults = at.get_name() == "list" && at.get_positionals().next().is_some();
            match live {
                Some((_, live)) => Offers::Live(*live),
                None if vaults => Offers::Live(Live::KeyVaults),
                None => Offers::Known(Vec::new()),
            }
        }
    }
}
