//! X.509 certificates.

use super::Fault;
use super::asn1::{self, BIT_STRING, INTEGER, Reader, SEQUENCE};
use super::keys::PublicKey;

/// The key that a certificate is about. Nothing is verified.
pub(super) fn public_key(certificate: &[u8]) -> Result<PublicKey, Fault> {
    let mut outer = Reader::new(certificate);
    let mut fields = outer.sequence()?;
    outer.end()?;
    let mut body = fields.sequence()?;
    fields.expect(SEQUENCE)?;
    fields.expect(BIT_STRING)?;
    body.optional(asn1::nested(0))?;
    body.expect(INTEGER)?;
    for _algorithm_issuer_validity_subject in 0..4 {
        body.expect(SEQUENCE)?;
    }
    PublicKey::from_spki(body.expect(SEQUENCE)?.whole)
}
