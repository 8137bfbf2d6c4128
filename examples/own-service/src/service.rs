//! The services of `protos/stock.proto`. Their three methods run in three ways, which `server.rs` registers: one computes,
//! one blocks, and one awaits.

use std::thread;
use std::time::Duration;

use futures_timer::Delay;
use grpcio_kit::{Call, Code, Status};

use crate::proto::stock::{AppraiseRequest, Days, Item, Quantity, Value};
use crate::proto::stock_grpc::{Stock, SuppliersAsync};

/// What the shop has: name, count, and price in cents.
const ITEMS: [(&str, u32, u64); 3] = [("apple", 120, 40), ("pear", 0, 55), ("plum", 31, 25)];

/// Implements `shop.Stock`.
pub struct StockService;

impl Stock for StockService {
    /// Only computes, so it runs on the thread of a completion queue.
    fn count(&self, _: &Call<'_>, item: Item) -> Result<Quantity, Status> {
        match ITEMS.iter().find(|(name, ..)| *name == item.name) {
            Some((_, count, _)) => Ok(Quantity { count: *count, ..Default::default() }),
            None => Err(Status::new(Code::NotFound, format!("the shop does not sell {:?}", item.name))),
        }
    }

    /// Blocks, so it runs on a pool of worker threads.
    fn appraise(&self, _: &Call<'_>, _: AppraiseRequest) -> Result<Value, Status> {
        // Stands for a query through a database driver that blocks.
        thread::sleep(Duration::from_millis(20));
        let cents = ITEMS.iter().map(|(_, count, cents)| u64::from(*count) * cents).sum();
        Ok(Value { cents, ..Default::default() })
    }
}

/// Implements `shop.Suppliers`.
pub struct SuppliersService;

impl SuppliersAsync for SuppliersService {
    /// Awaits: the thread of the completion queue serves other RPCs meanwhile.
    async fn delivery(&self, _: Call<'static>, item: Item) -> Result<Days, Status> {
        // Stands for a request to the supplier.
        Delay::new(Duration::from_millis(20)).await;
        Ok(Days { days: if item.name == "plum" { 2 } else { 3 }, ..Default::default() })
    }
}
