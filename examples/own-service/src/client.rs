//! A client of the shop's services:
//!
//!     cargo run --release --bin stock-client TARGET CA ITEM

use std::env;
use std::error::Error;
use std::time::Duration;

use grpcio_kit::{CallOptions, Channel, ClientTls};
use own_service::proto::stock::{AppraiseRequest, Item};
use own_service::proto::stock_grpc::{StockClient, SuppliersClient};

fn main() -> Result<(), Box<dyn Error>> {
    let [target, ca, name] = &env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: stock-client TARGET CA ITEM".into());
    };
    let channel = Channel::builder(target).tls(ClientTls::default().ca(ca)).connect()?;
    let (stock, suppliers) = (StockClient::new(channel.clone()), SuppliersClient::new(channel));
    let options = CallOptions::default().timeout(Duration::from_secs(5));
    let item = Item { name: name.clone(), ..Default::default() };

    println!("{} in stock", stock.count(&item, options.clone())?.count);
    println!("more in {} days", suppliers.delivery(&item, options.clone())?.days);
    println!("everything is worth {} cents", stock.appraise(&AppraiseRequest::default(), options)?.cents);
    Ok(())
}
