//! TLS: a server with a certificate, and a client that trusts the CA that signed it.
//!
//!     openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout tls.key -out tls.crt \
//!         -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1
//!     cargo run --release --example tls tls.crt tls.key tls.crt
//!
//! A self-signed certificate is its own CA, hence the third argument.

use std::env;
use std::error::Error;

use calc::{Client, server};
use grpcio_kit::{Channel, ClientTls, ServerTls};

fn main() -> Result<(), Box<dyn Error>> {
    let [certificate, key, ca] = &env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: tls CERTIFICATE KEY CA".into());
    };
    // The files are read again when they change.
    let tls = ServerTls::files(certificate, key).load()?;
    let server = server::builder().tls(tls).listen("127.0.0.1:0".parse()?).start()?;
    let target = server.addresses()[0].to_string();

    let channel = Channel::builder(&target).tls(ClientTls::default().ca(ca)).connect()?;
    println!("with TLS: {:?}", Client::new(channel).divide(10, 4)?);

    // The port accepts TLS only.
    let error = Client::connect(&target)?.divide(10, 4).err().ok_or("the server accepted clear text")?;
    println!("in clear text: {}", error.status().code());
    Ok(())
}
