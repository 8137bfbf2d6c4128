//! What can be told of a file in PEM form by its lines alone.

use std::path::Path;

use crate::files::FileError;

/// The certificates in a file, each with the lines that enclose it; at least one.
pub(super) fn certificates(path: &Path, content: &[u8]) -> Result<Vec<String>, FileError> {
    let mut certificates = Vec::new();
    let mut open: Option<String> = None;
    for line in text(path, content)?.lines() {
        if line.starts_with("-----BEGIN ") && line.trim_end().ends_with("CERTIFICATE-----") {
            // The one before it has no end, and is damaged; so it is kept.
            certificates.extend(open.replace(String::new()));
        }
        let Some(certificate) = &mut open else {
            continue;
        };
        certificate.push_str(line);
        certificate.push('\n');
        if line.starts_with("-----END ") {
            certificates.extend(open.take());
        }
    }
    certificates.extend(open);
    if certificates.is_empty() {
        let reason = "it holds no certificate in PEM form, which begins with `-----BEGIN CERTIFICATE-----`; \
                      `openssl x509 -inform der` converts one in DER form";
        return Err(FileError::content(path, reason));
    }
    Ok(certificates)
}

/// Whether there is a private key that needs no pass phrase.
pub(super) fn check_key(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let text = text(path, content)?;
    let reason = if !text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY-----")) {
        "it holds no private key in PEM form, which begins with `-----BEGIN PRIVATE KEY-----`"
    } else if text.contains("ENCRYPTED") {
        "the private key is encrypted; `openssl pkey -in FILE -out NEW` decrypts it"
    } else {
        return Ok(());
    };
    Err(FileError::content(path, reason))
}

/// PEM is text; grpcio panics at a NUL byte.
fn text<'a>(path: &Path, content: &'a [u8]) -> Result<&'a str, FileError> {
    std::str::from_utf8(content)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| FileError::content(path, "it is no text; certificates and keys are to be in PEM form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\none\n-----END CERTIFICATE-----\n";

    fn split(text: &str) -> Result<Vec<String>, String> {
        certificates(Path::new("file"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn certificates_are_told_from_what_is_around_them() {
        let key = "-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n";
        let text = format!("subject: x\n{ONE}\n{key}{}", ONE.replace("one", "two"));
        assert_eq!(split(&text).unwrap(), [ONE.to_owned(), ONE.replace("one", "two")]);
        // With the line ends of Windows.
        assert_eq!(split(&ONE.replace('\n', "\r\n")).unwrap(), [ONE]);
    }

    #[test]
    fn a_certificate_without_an_end_is_not_passed_over() {
        let cut = "-----BEGIN CERTIFICATE-----\ncut\n";
        assert_eq!(split(&format!("{cut}{ONE}{cut}")).unwrap(), [cut, ONE, cut]);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused_with_what_to_do() {
        assert!(split("").unwrap_err().starts_with("file: it holds no certificate"));
        assert!(split("a\0b").unwrap_err().contains("PEM form"));
        let error = certificates(Path::new("file"), b"\x30\x82\xff").unwrap_err().to_string();
        assert!(error.contains("no text"), "{error}");
    }

    #[test]
    fn a_key_is_to_be_there_and_to_need_no_pass_phrase() {
        let check = |text: &str| check_key(Path::new("file"), text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(check("-----BEGIN EC PRIVATE KEY-----\n"), Ok(()));
        assert!(check(ONE).unwrap_err().contains("no private key"));
        assert!(check("-----BEGIN ENCRYPTED PRIVATE KEY-----\n").unwrap_err().contains("is encrypted"));
        assert!(check("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n").unwrap_err().contains("encrypted"));
    }
}
