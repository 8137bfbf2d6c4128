//! The [service config](https://grpc.io/docs/guides/service-config/) that a channel has unless the program gives its own:
//! load balancing, and retries of idempotent methods.
//!
//! Nothing is retried by default: only the program knows which of its methods may be executed twice. (The C core repeats
//! an RPC without being asked only if no server has seen it.)

/// Attempts of one RPC, the first included; the C core makes no more than five.
const MAX_ATTEMPTS: u32 = 4;

/// The budget of failed attempts. Below half of it there are no retries; a success gives back a tenth of an attempt. A
/// killed server fails at most 100 RPCs per connection at once (`Limits::max_concurrent_streams`), which half of this
/// covers twice.
const BUDGET: u32 = 500;

/// Returns the service config in JSON, or the first of the `idempotent` names that is none.
pub(super) fn json(round_robin: bool, idempotent: &[String]) -> Result<Option<String>, String> {
    let mut members = Vec::new();
    if round_robin {
        members.push(r#""loadBalancingConfig": [{"round_robin": {}}]"#.to_owned());
    }
    if !idempotent.is_empty() {
        let names: Result<Vec<_>, _> =
            idempotent.iter().map(|name| selector(name).ok_or_else(|| name.clone())).collect();
        members.push(format!(
            r#""methodConfig": [{{"name": [{}], "retryPolicy": {{
                "maxAttempts": {MAX_ATTEMPTS}, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"]}}}}],
            "retryThrottling": {{"maxTokens": {BUDGET}, "tokenRatio": 0.1}}"#,
            names?.join(", ")
        ));
    }
    Ok((!members.is_empty()).then(|| format!("{{{}}}", members.join(", "))))
}

/// Returns the JSON object that selects a service, or one method of it.
fn selector(name: &str) -> Option<String> {
    let (service, method) = match name.strip_prefix('/') {
        Some(path) => path.split_once('/').map(|(service, method)| (service, Some(method)))?,
        None => (name, None),
    };
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !service.split('.').chain(method).all(is_word) {
        return None;
    }
    Some(match method {
        Some(method) => format!(r#"{{"service": "{service}", "method": "{method}"}}"#),
        None => format!(r#"{{"service": "{service}"}}"#),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_none_unless_it_is_asked_for() {
        assert_eq!(json(false, &[]), Ok(None));
        assert_eq!(json(true, &[]), Ok(Some(r#"{"loadBalancingConfig": [{"round_robin": {}}]}"#.to_owned())));
    }

    #[test]
    fn services_and_methods_are_selected() {
        let names = ["shop.Prices".to_owned(), "/shop.Orders/Get".to_owned()];
        let json = json(false, &names).unwrap().unwrap();
        assert!(
            json.contains(r#"[{"service": "shop.Prices"}, {"service": "shop.Orders", "method": "Get"}]"#),
            "{json}"
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", ".", "/", "a.B/Get", "/a.B", "/a.B/", "//Get", "/a.B/Get/", "a b", "a\"", "a\\u0022", "\u{e4}"]
        {
            assert_eq!(json(false, &["a.B".to_owned(), name.to_owned()]), Err(name.to_owned()));
        }
    }
}
