//! `calc add`, `substract`, `multiply` and `divide`: one call, one line.

use calc::Client;
use structopt::StructOpt;

use super::connect;
use super::exit::{self, Exit};
use super::operation::Operation;
use super::values;

#[derive(StructOpt)]
pub struct Calculation {
    /// The first operand, an int32
    #[structopt(value_name = "N1", parse(try_from_str = values::operand))]
    n1: i32,
    /// The second operand, an int32
    #[structopt(value_name = "N2", parse(try_from_str = values::operand))]
    n2: i32,
    #[structopt(flatten)]
    server: connect::Connect,
}

impl Calculation {
    pub fn run(self, operation: Operation) -> Result<(), Exit> {
        let Calculation { n1, n2, server } = self;
        let client = Client::new(server.channel()?).timeout(server.timeout);
        let result = match operation {
            Operation::Add => client.add(n1, n2)?.to_string(),
            Operation::Subtract => client.subtract(n1, n2)?.to_string(),
            Operation::Multiply => client.multiply(n1, n2)?.to_string(),
            // Every digit of the float, as Python prints it: 5.0, 0.3333333432674408.
            Operation::Divide => format!("{:?}", f64::from(client.divide(n1, n2)?)),
        };
        exit::print(&format!("{result}\n"))
    }
}
