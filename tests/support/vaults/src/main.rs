//! Starts the stand-ins with the secrets of a file, says how to reach them, and runs until it is stopped. Who changes the file
//! meanwhile changes what they hold.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use vault_stand_in::azure::Azure;
use vault_stand_in::hashicorp::Vault;
use vault_stand_in::{Error, File};

const USAGE: &str = "\
Usage: vault-stand-in [FILE]

Stands in for Azure Key Vault and for Vault (OpenBao) on loopback, with the secrets of FILE, or of an example.
Whoever changes the file meanwhile changes what they hold. Ctrl-C stops it.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    if arguments.len() > 1 || arguments.iter().any(|argument| argument.starts_with('-')) {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    match serve(arguments.first().map(String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(data: Option<&str>) -> Result<(), Error> {
    let file = data.map_or_else(File::example, read)?;
    let folder = std::env::temp_dir().join(format!("vault-stand-in-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(machine("make a folder"))?;
    let azure = file.azure.map(Azure::start).transpose()?;
    let vault = file.vault.map(Vault::start).transpose()?;
    if let Some(azure) = &azure {
        let ca = write(&folder.join("azure-ca.pem"), &azure.ca_pem)?;
        println!("Stand-in for Azure Key Vault (not Azure)");
        println!("  vault URL   {}", azure.url());
        println!("  authority   {}", azure.authority());
        println!("  trust       {ca}");
        println!("  tenant      {}", azure.edit(|data| data.tenant.clone()));
        println!(
            "  {} is {} for whoever calls it; `*.localhost` is loopback in most systems.",
            azure.host(),
            azure.address.ip()
        );
    }
    if let Some(vault) = &vault {
        let ca = write(&folder.join("vault-ca.pem"), &vault.ca_pem)?;
        println!("Stand-in for Vault and OpenBao (neither of them)");
        println!("  address     {}", vault.url());
        println!("  trust       {ca}");
        println!(
            "  try         curl --cacert {ca} -H 'X-Vault-Token: TOKEN' {}/v1/MOUNT/data/PATH",
            vault.url()
        );
    }
    println!(
        "Link them by a KeyVault with these URLs; the chart's values must allow the hosts. Ctrl-C stops them."
    );
    let mut seen = data.and_then(changed);
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = data.and_then(changed);
        if let Some(path) = data.filter(|_| now != seen) {
            match read(path) {
                Ok(file) => hold(file, azure.as_ref(), vault.as_ref()),
                Err(error) => eprintln!("{error}"), // it may be half written
            }
            seen = now;
        }
    }
}

fn read(path: &str) -> Result<File, Error> {
    let text = fs::read_to_string(path).map_err(|why| Error::Data(format!("{path}: {why}")))?;
    File::read(&text)
}

fn changed(path: &str) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// From now on they hold what the file says; who has signed in stays so.
fn hold(file: File, azure: Option<&Azure>, vault: Option<&Vault>) {
    if let (Some(azure), Some(data)) = (azure, file.azure) {
        azure.edit(|now| *now = data);
    }
    if let (Some(vault), Some(data)) = (vault, file.vault) {
        vault.edit(|now| *now = data);
    }
}

fn write(path: &Path, text: &str) -> Result<String, Error> {
    fs::write(path, text).map_err(machine("write the authority"))?;
    Ok(path.display().to_string())
}

fn machine(what: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |why| Error::Machine {
        what,
        why: why.to_string(),
    }
}
