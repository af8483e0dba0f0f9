//! Quotas and sizes.
//!
//! Source: Certificate Manager user guide, "Quotas"; API reference, `ImportCertificate`.

/// Most certificates of an account in a region. 2,500.
pub(crate) const CERTIFICATES_MAX: usize = 2_500;

/// Largest certificate, in PEM. 32 KiB.
pub(crate) const CERTIFICATE_BYTES_MAX: usize = 32_768;

/// Largest private key, in PEM. 8 KiB.
pub(crate) const KEY_BYTES_MAX: usize = 8_192;

/// Largest chain, in PEM. 128 KiB; the service takes 2 MiB, but an item must hold it, and a
/// handshake must carry it.
pub(crate) const CHAIN_BYTES_MAX: usize = 131_072;

/// Most certificates of a chain. 10.
pub(crate) const CHAIN_LENGTH_MAX: usize = 10;

/// Most tags of a certificate. 50.
pub(crate) const TAGS_MAX: usize = 50;

/// Most entries of a page, and their number where the caller names none. 1,000.
pub(crate) const PAGE_MAX: usize = 1_000;
