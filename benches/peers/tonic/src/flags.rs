//! The files that a program's flags name.

use std::error::Error;
use std::{env, fs};

/// Returns the content of the file that follows `flag`, if the flag is there.
pub fn read(flag: &str) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let Some(path) = env::args().skip_while(|argument| argument != flag).nth(1) else {
        return Ok(None);
    };
    Ok(Some(fs::read(&path).map_err(|error| format!("{path}: {error}"))?))
}
