//! A real OAuth2 server, end to end: client credentials in, a bearer token out, and revoked at the stop.

use claviger_tests::bundle::ALLOW;
use claviger_tests::oidc::{Auth, OidcProvider};
use claviger_tests::wait::until;
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};

fn check(auth: Auth) {
    let (case, upstream) = (Case::new(), Upstream::plain());
    let provider = OidcProvider::start(&case, 60);
    let mut sidecar =
        Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &provider.source(&case, auth)));
    for _ in 0..5 {
        assert_eq!(sidecar.call("/api/echo").status, 200, "{}", sidecar.logs());
    }
    let tokens = upstream.bearers();
    assert!(tokens.len() == 5 && tokens.iter().all(|token| *token == tokens[0]), "one token serves all");
    case.canaries().watch("the server's token", &tokens[0]);
    let before = provider.introspect(&tokens[0]);
    assert_eq!((&before["active"], &before["scope"]), (&true.into(), &"repo.read".into()), "{before}");
    assert_eq!(sidecar.stop(), 0);
    until("the server knows the token as revoked", || provider.introspect(&tokens[0])["active"] == false);
}

#[test]
fn client_credentials_by_basic_authentication() {
    needs!("opa", "oidc-provider");
    check(Auth::Basic);
}

#[test]
fn client_credentials_by_post() {
    needs!("opa", "oidc-provider");
    check(Auth::Post);
}
