//! Whose credentials sign: those that AWS's own tools would take, from the same places.
//!
//! The official chain looks them up; nothing here reads a file of AWS's, or signs. Source: SDKs
//! and tools reference guide, "Standardized credential providers".

use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use crate::limits::CREDENTIALS_PATIENCE;

/// Where credentials may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// The environment and the profile files: what a laptop has.
    Laptop,
    /// Those, and what a machine in a cloud is given: web identity, container, instance.
    Everywhere,
}

/// Credentials that cannot be had although there seem to be some.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// What is there cannot be used.
    #[error("find AWS credentials")]
    Unusable(#[source] CredentialsError),
    /// Who has them does not answer.
    #[error("find AWS credentials: no answer within {CREDENTIALS_PATIENCE:?}")]
    Slow,
}

/// Finds the caller's credentials; `None` where there are none.
///
/// Errors: when what is there cannot be used, or takes longer than [`CREDENTIALS_PATIENCE`].
pub async fn find(places: Places) -> Result<Option<Credentials>, LookupError> {
    let sought = async {
        // An instance is never asked for its region: a laptop would wait for nobody.
        let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else("us-east-1")
            .region()
            .await;
        let config = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_region(region.clone());
        match places {
            Places::Laptop => {
                let profile = ProfileFileCredentialsProvider::builder();
                let profile = profile.configure(&config).build();
                let environment = EnvironmentVariableCredentialsProvider::new();
                CredentialsProviderChain::first_try("Environment", environment)
                    .or_else("Profile", profile)
                    .provide_credentials()
                    .await
            }
            Places::Everywhere => {
                let chain = DefaultCredentialsChain::builder().configure(config);
                let chain = chain.region(region).build().await;
                chain.provide_credentials().await
            }
        }
    };
    let found = tokio::time::timeout(CREDENTIALS_PATIENCE, sought).await;
    match found.map_err(|_| LookupError::Slow)? {
        Ok(credentials) => Ok(Some(credentials)),
        Err(CredentialsError::CredentialsNotLoaded(_)) => Ok(None),
        Err(error) => Err(LookupError::Unusable(error)),
    }
}
