//! `calc add`, `substract`, `multiply` and `divide`: one RPC, one line of output.

use calc::arithmetic::Operation;
use structopt::StructOpt;

use super::connect::Connect;
use super::exit::{self, Exit};
use super::values;

#[derive(StructOpt)]
pub struct Calculation {
    /// First operand, an int32
    #[structopt(value_name = "N1")]
    n1: String,
    /// Second operand, an int32
    #[structopt(value_name = "N2")]
    n2: String,
    #[structopt(flatten)]
    server: Connect,
}

impl Calculation {
    pub fn run(self, operation: Operation) -> Result<(), Exit> {
        // Parsed here and not by clap, which reports any of two wrong operands.
        let operand = |name, text| {
            values::operand(text).map_err(|reason| Exit::Usage(format!("invalid value for <{name}>: {reason}")))
        };
        let (n1, n2) = (operand("N1", &self.n1)?, operand("N2", &self.n2)?);
        exit::print(&format!("{}\n", self.server.client()?.calculate(operation, n1, n2)?))
    }
}
