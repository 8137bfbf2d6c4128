//! Converts comments of a `.proto` file to Markdown that rustdoc accepts without a warning.
//!
//! Comments are written without rustdoc in mind: an indented example would become a doctest, `[a, b]` a broken link,
//! `<address>` an HTML tag, and a bare URL causes a warning.

use syn::{Attribute, parse_quote};

/// Returns `#[doc]` attributes with the text of `comment`.
pub fn attributes(comment: &str) -> Vec<Attribute> {
    let lines = lines(comment).into_iter().map(|line| if line.is_empty() { line } else { format!(" {line}") });
    lines.map(|line| parse_quote!(#[doc = #line])).collect()
}

/// Returns the lines of `comment` as Markdown.
fn lines(comment: &str) -> Vec<String> {
    let comment: String = comment.replace('\t', "    ").chars().filter(|c| is_harmless(*c)).collect();
    let mut output = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut rest = comment.lines().map(without_margin).peekable();
    while let Some(line) = rest.next() {
        let fence = line.trim_start();
        let indent = line.len() - fence.len();
        if indent < 4 && (fence.starts_with("```") || fence.starts_with("~~~")) {
            flush(&mut paragraph, &mut output);
            let code = std::iter::from_fn(|| rest.next()).take_while(|line| !closes(line, fence));
            block(code.map(str::to_owned).collect(), &mut output);
        } else if indent >= 4 && paragraph.is_empty() {
            let mut code = vec![line[4..].to_owned()];
            while let Some(line) = rest.next_if(|line| line.is_empty() || line.starts_with("    ")) {
                code.push(line.get(4..).unwrap_or("").to_owned());
            }
            block(code, &mut output);
        } else if line.is_empty() {
            flush(&mut paragraph, &mut output);
            blank(&mut output);
        } else {
            paragraph.push(line);
        }
    }
    flush(&mut paragraph, &mut output);
    while output.last().is_some_and(String::is_empty) {
        output.pop();
    }
    output
}

/// Removes what separates the text from `//` or `///`: protox has removed `//` alone.
fn without_margin(line: &str) -> &str {
    line.strip_prefix("/ ").or(line.strip_prefix(' ')).unwrap_or(line).trim_end()
}

/// Control characters are removed; rustc denies those that reorder text.
fn is_harmless(c: char) -> bool {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c == '\n' || !c.is_control() && !reorders
}

fn closes(line: &str, fence: &str) -> bool {
    let line = line.trim();
    line.starts_with(&fence[..3]) && line.chars().all(|c| fence.starts_with(c))
}

/// Writes a code block, marked as text: rustdoc compiles others.
fn block(mut code: Vec<String>, output: &mut Vec<String>) {
    while code.last().is_some_and(|line| line.trim().is_empty()) {
        code.pop();
    }
    // Longer than every run of backticks in the code, so that none of them closes it.
    let longest = code.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    output.push(format!("{fence}text"));
    output.append(&mut code);
    output.push(fence);
    blank(output);
}

fn blank(output: &mut Vec<String>) {
    if output.last().is_some_and(|line| !line.is_empty()) {
        output.push(String::new());
    }
}

/// Writes a paragraph, escaped. Code spans may go over the end of a line, not over that of a paragraph.
fn flush(paragraph: &mut Vec<&str>, output: &mut Vec<String>) {
    // Indentation would begin a code block. (Lists lose their nesting.)
    let lines: Vec<&str> = paragraph.drain(..).map(str::trim_start).collect();
    output.extend(escaped(&lines.join("\n")).lines().map(str::to_owned));
}

fn escaped(text: &str) -> String {
    let mut output = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let verbatim = code_span(rest).or_else(|| link(rest));
        let before = output.chars().next_back();
        if let Some(length) = verbatim {
            output.push_str(&rest[..length]);
            rest = &rest[length..];
        } else if let Some(length) = url(rest).filter(|_| !before.is_some_and(char::is_alphanumeric)) {
            output.push_str(&format!("<{}>", &rest[..length]));
            rest = &rest[length..];
        } else {
            // All of a run of backticks that nothing closes; any shorter one might be closed.
            let run = rest.len() - rest.trim_start_matches('`').len();
            for c in rest[..run.max(c.len_utf8())].chars() {
                if matches!(c, '[' | ']' | '<' | '>' | '\\' | '`' | '&') {
                    output.push('\\');
                }
                output.push(c);
            }
            rest = &rest[run.max(c.len_utf8())..];
        }
    }
    output
}

/// Returns the length of the code span that `text` begins with.
fn code_span(text: &str) -> Option<usize> {
    let inside = text.trim_start_matches('`');
    let ticks = text.len() - inside.len();
    if ticks == 0 {
        return None;
    }
    let mut from = ticks;
    loop {
        let start = from + text[from..].find('`')?;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        if run == ticks {
            return Some(start + run);
        }
        from = start + run;
    }
}

/// Returns the length of the link `[text](https://...)` that `text` begins with.
fn link(text: &str) -> Option<usize> {
    let (label, target) = text.strip_prefix('[')?.split_once("](")?;
    let plain = |c: char| !matches!(c, '[' | ']' | '<' | '>' | '`' | '\n' | '\\');
    let end = target.find(')')?;
    let is_url = url(target) == Some(end);
    (label.chars().all(plain) && !label.is_empty() && is_url).then(|| 1 + label.len() + 2 + end + 1)
}

/// Returns the length of the URL that `text` begins with.
fn url(text: &str) -> Option<usize> {
    let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && !"-._~:/?#@!$&'*+,;=%".contains(c));
    let host = after[..end.unwrap_or(after.len())].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*']);
    (!host.is_empty()).then(|| text.len() - after.len() + host.len())
}
