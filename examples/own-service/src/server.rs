//! The shop's server, with TLS, health, reflection, metrics, and an interceptor of its own:
//!
//!     cargo run --release --bin stock-server CERTIFICATE KEY [ADDRESS [HTTP_ADDRESS]]

use std::env;
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use grpcio_kit::http::{HttpServer, Pages};
use grpcio_kit::{
    Call, Health, Interceptor, Metrics, Outcome, Readiness, Server, ServerTls, ServingStatus, ShutdownSignal, Workers,
};
use own_service::proto::stock_grpc::{stock, stock_service, suppliers, suppliers_async_service};
use own_service::service::{StockService, SuppliersService};

/// Prints each RPC, with its status and how long it took.
struct Journal;

impl Interceptor for Journal {
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        eprintln!("{} {} after {:?}", call.method(), outcome.code(), outcome.elapsed);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [certificate, key, addresses @ ..] = &arguments[..] else {
        return Err("usage: stock-server CERTIFICATE KEY [ADDRESS [HTTP_ADDRESS]]".into());
    };
    let address = addresses.first().map_or("[::]:50051", String::as_str);
    let http_address = addresses.get(1).map_or("127.0.0.1:9464", String::as_str);

    let signal = ShutdownSignal::listen()?;
    let queues = NonZeroUsize::MIN;
    let workers = Workers::new(NonZeroUsize::MIN.saturating_add(3), 100)?;
    let metrics = Metrics::new("shop", env!("CARGO_PKG_VERSION"), queues)?;
    let readiness = Readiness::default();
    let health = Health::new();
    health.set(stock::NAME, ServingStatus::Serving);
    health.set(suppliers::NAME, ServingStatus::Serving);
    let server = Server::builder()
        .service(stock_service(StockService).on_workers(stock::APPRAISE, &workers))
        .service(suppliers_async_service(SuppliersService))
        .health(health)
        .reflection(true)
        .tls(ServerTls::files(certificate, key).load()?)
        .metrics(&metrics)
        .interceptor(Journal)
        .readiness(readiness.clone())
        .queues(queues)
        .listen(address.parse()?)
        .start()?;
    let pages = Pages::new().metrics(metrics).health(move || readiness.is_ready());
    let http = HttpServer::start(&http_address.parse()?, pages)?;
    println!("metrics on http://{}/metrics", http.address());
    println!("listening on {}", server.addresses()[0]);

    signal.wait();
    server.shutdown(Duration::from_secs(10));
    Ok(())
}
