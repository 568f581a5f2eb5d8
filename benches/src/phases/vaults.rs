//! How vaults are asked: how often, how fast the first time, and what one that hangs does to the others. The vaults are
//! stand-ins on loopback, spoken to as the real ones are.

mod site;

use crate::Outcome;
use crate::measures::{median, p99};
use crate::memory;
use crate::report::Must::AtMost;
use crate::report::Report;
use serde_json::json;
use site::{CANARY, Linked, Site, whole};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use vault_stand_in::Arrival;
use vault_stand_in::Fault;

/// How long the vault of many secrets takes for an answer.
const DELAY: Duration = Duration::from_millis(30);
const MANY: usize = 1500;
/// Connections that share few secrets, in so many namespaces.
const SHARING: usize = 1000;
const SHARED: usize = 20;
const TEAMS: usize = 4;
/// What one vault gets by default: a quarter of what Azure allows, in any window of that length.
const RATE: usize = 1000;
const WINDOW: Duration = Duration::from_secs(10);
/// The interval while requests are counted, and how many of them.
const INTERVAL_SECONDS: u64 = 10;
const INTERVALS: usize = 5;
/// Connections on a vault that hangs, and those that are timed on another.
const HANGING: usize = 200;
const TRIES: usize = 100;

/// All measures about vaults.
pub async fn vaults(report: &mut Report) -> Outcome<()> {
    println!("== vaults");
    let site = Site::start().await?;
    first_time(&site, report).await?;
    let few = shared(&site, report).await?;
    hanging(&site, &few, report).await
}

/// Many connections, each on a secret of its own, are checked for the first time.
async fn first_time(site: &Site, report: &mut Report) -> Outcome<()> {
    let many = Linked::make(site, "many", &["many"], MANY).await?;
    many.vault.fault(Fault::Slow(DELAY));
    many.connect(MANY, |number| number).await?;
    let operator = site.operator(&[]).await?;
    many.until_told(MANY, "VaultNotReady").await?;
    let started = Instant::now();
    many.consent().await?;
    many.until_told(MANY, "Ready").await?;
    let told = started.elapsed();
    drop(operator);
    let arrivals = many.vault.arrivals();
    let looked_at: BTreeSet<&str> = looks(&arrivals).map(|look| look.path.as_str()).collect();
    if looked_at.len() != MANY {
        return Err(format!("{} of {MANY} secrets were looked at", looked_at.len()).into());
    }
    let checked = last_new(&arrivals).duration_since(started) + DELAY;
    report.row(
        "1,500 connections on 1,500 secrets of one vault: all checked, the first time, s",
        AtMost(15.0),
        checked.as_secs_f64(),
        "from the consent to the key vault, at the default rate, to the answer about the last secret; the stand-in takes 30 ms for each",
    );
    report.row(
        "the most requests that this vault got in any 10 s",
        AtMost(whole(RATE)),
        whole(busiest(&arrivals)),
        "all requests, sign-ins and lists too; a quarter of what Azure allows for one vault",
    );
    report.keep(
        "vault, first time",
        json!({"secondsUntilAllAreReady": told.as_secs_f64()}),
    );
    Ok(())
}

/// Many connections on few secrets, in several namespaces that link the vault each.
async fn shared(site: &Site, report: &mut Report) -> Outcome<Linked> {
    let teams: Vec<String> = (0..TEAMS).map(|team| format!("few-{team}")).collect();
    let teams: Vec<&str> = teams.iter().map(String::as_str).collect();
    // Those that are timed later have secrets that nobody has looked at.
    let few = Linked::make(site, "few", &teams, SHARED + 2 * TRIES).await?;
    few.consent().await?;
    few.connect(SHARING, |number| number % SHARED).await?;
    let interval = format!("--vault-interval-seconds={INTERVAL_SECONDS}");
    let operator = site.operator(&[&interval]).await?;
    few.until_told(SHARING, "Ready").await?;
    tokio::time::sleep(Duration::from_secs(INTERVAL_SECONDS)).await;
    few.vault.forget_arrivals();
    let intervals = u32::try_from(INTERVALS)?;
    tokio::time::sleep(Duration::from_secs(INTERVAL_SECONDS) * intervals).await;
    let arrivals = few.vault.arrivals();
    let copies = memory::occurrences(operator.id(), CANARY)?;
    drop(operator);
    report.row(
        "vault requests an interval, 1,000 connections on 20 secrets",
        AtMost(whole(SHARED)),
        whole(looks(&arrivals).count()) / whole(INTERVALS),
        "looks at secrets by the vault's own count over five intervals, connections and key vaults in four namespaces with one identity; sign-ins and the lists of the key vaults aside",
    );
    report.row(
        "copies of secret values in the operator's memory after checks",
        AtMost(0.0),
        whole(copies),
        "values of the stand-ins' secrets found in the process's writable memory, while the secrets are checked by reading them, as their keys are named",
    );
    let lists = arrivals.iter().filter(|arrival| arrival.route == "list").count();
    let sign_ins = arrivals.iter().filter(|arrival| arrival.route == "login").count();
    report.keep(
        "vault, five intervals",
        json!({"lists": lists, "signIns": sign_ins, "requests": arrivals.len()}),
    );
    Ok(few)
}

/// New connections on one vault, while another is well and while it hangs.
async fn hanging(site: &Site, few: &Linked, report: &mut Report) -> Outcome<()> {
    let stuck = Linked::make(site, "stuck", &["stuck"], HANGING).await?;
    stuck.consent().await?;
    stuck.connect(HANGING, |number| number).await?;
    let interval = format!("--vault-interval-seconds={INTERVAL_SECONDS}");
    let operator = site.operator(&[&interval]).await?;
    stuck.until_told(HANGING, "Ready").await?;
    let mut before = Vec::new();
    for number in 0..TRIES {
        before.push(few.time_of_new(SHARED + number).await?);
    }
    stuck.vault.fault(Fault::Hang);
    tokio::time::sleep(Duration::from_secs(INTERVAL_SECONDS)).await;
    let mut during = Vec::new();
    for number in TRIES..2 * TRIES {
        during.push(few.time_of_new(SHARED + number).await?);
    }
    drop(operator);
    report.row(
        "one vault hanging: delay of connections on others, p99, ms",
        AtMost(50.0),
        p99(&mut during) - p99(&mut before),
        "100 connections in turn on secrets that nobody has looked at, from sending each, consent included, to its Ready, while another vault with 200 connections hangs, less the same before it did",
    );
    report.keep(
        "one vault hanging",
        json!({
            "millisecondsMedianBefore": median(&mut before), "millisecondsP99Before": p99(&mut before),
            "millisecondsMedianDuring": median(&mut during), "millisecondsP99During": p99(&mut during),
        }),
    );
    Ok(())
}

/// Requests about one secret.
fn looks(arrivals: &[Arrival]) -> impl Iterator<Item = &Arrival> {
    arrivals
        .iter()
        .filter(|arrival| matches!(arrival.route, "metadata" | "data"))
}

/// When the last secret was looked at for the first time.
fn last_new(arrivals: &[Arrival]) -> Instant {
    let mut seen = BTreeSet::new();
    let first = looks(arrivals).filter(|look| seen.insert(look.path.as_str()));
    first.map(|look| look.at).max().unwrap_or_else(Instant::now)
}

/// The most requests in any window.
fn busiest(arrivals: &[Arrival]) -> usize {
    let mut times: Vec<Instant> = arrivals.iter().map(|arrival| arrival.at).collect();
    times.sort();
    let mut first = 0;
    let mut most = 0;
    for (number, at) in times.iter().enumerate() {
        while at.duration_since(times[first]) >= WINDOW {
            first += 1;
        }
        most = most.max(number + 1 - first);
    }
    most
}
