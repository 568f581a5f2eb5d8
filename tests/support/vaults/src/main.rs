//! Starts the stand-ins with the secrets of a file, says how to reach them, and runs until it is stopped.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use vault_stand_in::azure::Azure;
use vault_stand_in::hashicorp::Vault;
use vault_stand_in::{Error, File};

fn main() -> ExitCode {
    match serve(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(data: Option<&str>) -> Result<(), Error> {
    let file = match data {
        None => File::example()?,
        Some(path) => {
            File::read(&fs::read_to_string(path).map_err(|why| Error::Data(format!("{path}: {why}")))?)?
        }
    };
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
    loop {
        std::thread::park();
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
