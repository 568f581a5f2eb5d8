//! kubectl's flags, as far as they say which cluster is meant and who asks.

use jiff::SignedDuration;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Which cluster, which namespace, and who asks.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "As in kubectl")]
pub struct Flags {
    /// The namespace; the context's if absent.
    #[arg(short, long, global = true)]
    pub namespace: Option<String>,
    /// The kubeconfig file to use.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long, global = true)]
    pub context: Option<String>,
    /// The cluster of the kubeconfig to use.
    #[arg(long, global = true)]
    pub cluster: Option<String>,
    /// The user of the kubeconfig to use.
    #[arg(long, global = true)]
    pub user: Option<String>,
    /// The user to speak for.
    #[arg(long = "as", global = true, value_name = "USER")]
    pub as_user: Option<String>,
    /// A group to speak for; may be given several times.
    #[arg(long, global = true, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// How long one request may take, such as 5s or 2m; 0 is for ever.
    #[arg(long, global = true, value_name = "TIME", default_value = "0")]
    pub request_timeout: RequestTimeout,
}

/// How long one request may take, if that is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestTimeout(pub Option<Duration>);

impl FromStr for RequestTimeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || format!("{text:?} is no time: write a number with its unit, such as 5s, 2m or 1h");
        if let Ok(seconds) = text.parse::<u32>() {
            return Ok(Self(bounded(Duration::from_secs(seconds.into()))));
        }
        let time: SignedDuration = text.parse().map_err(|_| expected())?;
        let time = Duration::try_from(time).map_err(|_| expected())?;
        Ok(Self(bounded(time)))
    }
}

fn bounded(time: Duration) -> Option<Duration> {
    (!time.is_zero()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_written_as_for_kubectl() {
        let seconds = |seconds| Some(RequestTimeout(Some(Duration::from_secs(seconds))));
        let rows = [
            ("0", Some(RequestTimeout(None))),
            ("0s", Some(RequestTimeout(None))),
            ("5", seconds(5)),
            ("5s", seconds(5)),
            ("2m", seconds(120)),
            ("1h30m", seconds(5400)),
            ("500ms", Some(RequestTimeout(Some(Duration::from_millis(500))))),
            ("-1s", None),
            ("soon", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<RequestTimeout>().ok(), expected, "{text:?}");
        }
    }
}
