//! Mutual TLS and bearer tokens: the server asks each client for a certificate, and each RPC for a token.
//!
//!     openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout tls.key -out tls.crt \
//!         -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1
//!     (umask 077; openssl rand -hex 32 >tokens)
//!     cargo run --release --example mutual_tls_with_tokens tls.crt tls.key tls.crt tokens
//!
//! Client and server share a certificate here, which is its own CA.

use std::env;
use std::error::Error;

use calc::{Client, server};
use grpcio_kit::{BearerToken, BearerTokens, Channel, ClientAuth, ClientTls, ServerTls};

fn main() -> Result<(), Box<dyn Error>> {
    let [certificate, key, ca, tokens] = &env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: mutual_tls_with_tokens CERTIFICATE KEY CA TOKENS".into());
    };
    let tls = ServerTls::files(certificate, key).client_ca(ca, ClientAuth::Required).load()?;
    // One token per line. As the certificates, they are read again when the file changes.
    let tokens_of_clients = BearerTokens::file(tokens).load()?;
    let server = server::builder().tls(tls).interceptor(tokens_of_clients).listen("127.0.0.1:0".parse()?).start()?;
    let target = server.addresses()[0].to_string();

    let trusting = || Channel::builder(&target).tls(ClientTls::default().ca(ca));
    let identified = || Channel::builder(&target).tls(ClientTls::default().ca(ca).certificate(certificate, key));
    let token = BearerToken::read(tokens)?;

    let client = Client::new(identified().bearer_token(token.clone()).connect()?);
    println!("with certificate and token: {:?}", client.divide(10, 4)?);
    for (what, channel) in [
        ("without a token", identified().connect()?),
        ("with another token", identified().bearer_token(BearerToken::new("0123456789abcdef")?).connect()?),
        ("without a certificate", trusting().bearer_token(token).connect()?),
    ] {
        let error = Client::new(channel).divide(10, 4).err().ok_or("the server accepted the client")?;
        println!("{what}: {}", error.status().code());
    }
    Ok(())
}
