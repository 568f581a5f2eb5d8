//! The file that says what the stand-ins hold.

use serde::Deserialize;

use crate::{Error, azure, hashicorp};

/// What is in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct File {
    /// A stand-in for Azure Key Vault.
    pub azure: Option<azure::Data>,
    /// A stand-in for Vault.
    pub vault: Option<hashicorp::Data>,
}

impl File {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Says what can't be read and where.
    pub fn read(text: &str) -> Result<Self, Error> {
        serde_saphyr::from_str(text).map_err(|why| Error::Data(why.to_string()))
    }

    /// The example that comes with the project.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn example() -> Result<Self, Error> {
        Self::read(include_str!("../data/example.yaml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_holds_both_vaults() {
        let example = File::example().unwrap();
        assert_eq!(example.azure.unwrap().secrets.len(), 5);
        assert_eq!(example.vault.unwrap().mounts.len(), 2);
    }

    #[test]
    fn a_misspelt_field_is_named() {
        let error = File::read("azure: {vault: contoso, tenant: t, secrts: {}}")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("secrts") && error.contains("example.yaml"),
            "{error}"
        );
    }
}
